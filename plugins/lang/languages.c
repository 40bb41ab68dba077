/* SPDX-License-Identifier: MIT
 *
 * languages.c - the languages that can be told, and the scripts; see lang.h.
 */
#include "lang.h"

/* clang-format off */
const struct lang_language lang_table[] = {
    {"und", "Und", SCRIPT_NONE, false, NULL, ""},
    {"en", "En", SCRIPT_LATIN, true, "en", ""},
    {"es", "Es", SCRIPT_LATIN, true, "es", "áéíóúüñ"},
    {"pt", "Pt", SCRIPT_LATIN, true, "pt", "áâãàçéêíóôõú"},
    {"de", "De", SCRIPT_LATIN, true, "de", "äöüß"},
    {"fr", "Fr", SCRIPT_LATIN, true, "fr", "àâæçéèêëîïôœùûüÿ"},
    {"it", "It", SCRIPT_LATIN, true, "it", "àèéìíòóù"},
    {"nl", "Nl", SCRIPT_LATIN, true, "nl", "éëïöü"},
    {"sv", "Sv", SCRIPT_LATIN, true, "sv", "åäöé"},
    {"da", "Da", SCRIPT_LATIN, true, "da", "åæøé"},
    {"nb", "Nb", SCRIPT_LATIN, true, "nb", "åæøéòô"},
    {"fi", "Fi", SCRIPT_LATIN, true, "fi", "äöå"},
    {"pl", "Pl", SCRIPT_LATIN, true, "pl", "ąćęłńóśźż"},
    {"cs", "Cs", SCRIPT_LATIN, true, "cs", "áčďéěíňóřšťúůýž"},
    {"sk", "Sk", SCRIPT_LATIN, true, "sk", "áäčďéíĺľňóôŕšťúýž"},
    {"hu", "Hu", SCRIPT_LATIN, true, "hu", "áéíóöőúüű"},
    {"ro", "Ro", SCRIPT_LATIN, true, "ro", "ăâîșşțţ"},
    {"hr", "Hr", SCRIPT_LATIN, true, "hr", "čćđšž"},
    {"sl", "Sl", SCRIPT_LATIN, true, "sl", "čšž"},
    {"sq", "Sq", SCRIPT_LATIN, true, "sq", "çë"},
    {"tr", "Tr", SCRIPT_LATIN, true, "tr", "çğıöşüâîû"},
    {"az", "Az", SCRIPT_LATIN, true, "az", "əçğıöşü"},
    {"vi", "Vi", SCRIPT_LATIN, true, "vi", "àáâãèéêìíòóôõùúýăđĩũơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ"},
    {"id", "Id", SCRIPT_LATIN, true, "id", ""},
    {"tl", "Tl", SCRIPT_LATIN, true, "tl", "ñ"},
    {"sw", "Sw", SCRIPT_LATIN, true, "sw", ""},
    {"ca", "Ca", SCRIPT_LATIN, true, "ca", "àçèéíïòóúü"},
    {"eu", "Eu", SCRIPT_LATIN, true, "eu", "ñç"},
    {"et", "Et", SCRIPT_LATIN, true, "et", "äõöüšž"},
    {"lv", "Lv", SCRIPT_LATIN, true, "lv", "āčēģīķļņšūž"},
    {"lt", "Lt", SCRIPT_LATIN, true, "lt", "ąčęėįšųūž"},
    {"is", "Is", SCRIPT_LATIN, true, "is", "áæðéíóöúýþ"},
    {"af", "Af", SCRIPT_LATIN, false, "af", "áéêëíîïôúû"},
    {"ast", "Ast", SCRIPT_LATIN, false, "ast", "áéíóúüñḥḷ"},
    {"br", "Br", SCRIPT_LATIN, false, "br", "êñùü"},
    {"bs", "Bs", SCRIPT_LATIN, false, "bs", "čćđšž"},
    {"cy", "Cy", SCRIPT_LATIN, false, "cy", "âêîôûŵŷïáéè"},
    {"eo", "Eo", SCRIPT_LATIN, false, "eo", "ĉĝĥĵŝŭ"},
    {"fo", "Fo", SCRIPT_LATIN, false, "fo", "áæðíóøúý"},
    {"fy", "Fy", SCRIPT_LATIN, false, "fy", "âêôûúïë"},
    {"ga", "Ga", SCRIPT_LATIN, false, "ga", "áéíóú"},
    {"gd", "Gd", SCRIPT_LATIN, false, "gd", "àèìòù"},
    {"gl", "Gl", SCRIPT_LATIN, false, "gl", "áéíóúüñ"},
    {"ht", "Ht", SCRIPT_LATIN, false, "ht", "èòà"},
    {"la", "La", SCRIPT_LATIN, false, "la", ""},
    {"lb", "Lb", SCRIPT_LATIN, false, "lb", "äëéüö"},
    {"mi", "Mi", SCRIPT_LATIN, false, "mi", "āēīōū"},
    {"ms", "Ms", SCRIPT_LATIN, false, "ms", ""},
    {"mt", "Mt", SCRIPT_LATIN, false, "mt", "ċġħżàèìòù"},
    {"nn", "Nn", SCRIPT_LATIN, false, "nn", "åæøéòô"},
    {"oc", "Oc", SCRIPT_LATIN, false, "oc", "áàçéèíïòóúü"},
    {"so", "So", SCRIPT_LATIN, false, "so", ""},
    {"tk", "Tk", SCRIPT_LATIN, false, "tk", "äçňöşüýž"},
    {"xh", "Xh", SCRIPT_LATIN, false, "xh", ""},
    {"yo", "Yo", SCRIPT_LATIN, false, "yo", "áàéèẹíìóòọúùṣńǹ"},
    {"zu", "Zu", SCRIPT_LATIN, false, "zu", ""},
    {"sh", "Sh", SCRIPT_LATIN, false, "sr-Latn", "čćđšž"},
    {"uz", "Uz", SCRIPT_LATIN, false, "uz", ""},
    {"ha", "Ha", SCRIPT_LATIN, false, "ha-NG", "ɓɗƙƴ"},
    {"mg", "Mg", SCRIPT_LATIN, false, "plt", "àôñ"},
    {"ru", "Ru", SCRIPT_CYRILLIC, true, "ru", "ийщъыьэюяё"},
    {"uk", "Uk", SCRIPT_CYRILLIC, true, "uk", "ийщьюяіїєґ"},
    {"be", "Be", SCRIPT_CYRILLIC, true, "be", "йыьэюяёіў"},
    {"bg", "Bg", SCRIPT_CYRILLIC, true, "bg", "ийщъьюя"},
    {"sr", "Sr", SCRIPT_CYRILLIC, true, "sr-Cyrl", "иђјљњћџ"},
    {"mk", "Mk", SCRIPT_CYRILLIC, true, "mk", "иѓѕјљњќџѐѝ"},
    {"kk", "Kk", SCRIPT_CYRILLIC, true, "kk", "ийщъыьэюяёәғқңөұүһі"},
    {"mn", "Mn", SCRIPT_CYRILLIC, true, "mn", "ийщъыьэюяёөү"},
    {"ky", "Ky", SCRIPT_CYRILLIC, false, "ky", "ийщъыьэюяёңөү"},
    {"tg", "Tg", SCRIPT_CYRILLIC, false, "tg", "ийъэюяёғӣқӯҳҷ"},
    {"tt", "Tt", SCRIPT_CYRILLIC, false, "tt", "ийщъыьэюяёәөүҗңһ"},
    {"ar", "Ar", SCRIPT_ARABIC, true, "ar", "يكةىإأؤئ"},
    {"fa", "Fa", SCRIPT_ARABIC, true, "fa", "پچژگکیآئ"},
    {"ur", "Ur", SCRIPT_ARABIC, true, "ur", "پچژگکیٹڈڑںےہھئآ"},
    {"ckb", "Ckb", SCRIPT_ARABIC, false, "ckb", "پچژگکیەێۆڕڵڤئ"},
    {"sd", "Sd", SCRIPT_ARABIC, false, "sd", "ٻڀٺٽٿڃڄچڇڊڌڍڏڙڦڪگڳڱڻھيئ"},
    {"ug", "Ug", SCRIPT_ARABIC, false, "ug", "پچژگكىيېەۇۆۈۋڭھئ"},
    {"he", "He", SCRIPT_HEBREW, true, "he", ""},
    {"yi", "Yi", SCRIPT_HEBREW, false, "yi", ""},
    {"hi", "Hi", SCRIPT_DEVANAGARI, true, "hi", ""},
    {"mr", "Mr", SCRIPT_DEVANAGARI, true, "mr", "ळ"},
    {"ne", "Ne", SCRIPT_DEVANAGARI, true, "ne", ""},
    {"sa", "Sa", SCRIPT_DEVANAGARI, false, "sa", ""},
    {"mai", "Mai", SCRIPT_DEVANAGARI, false, "mai", ""},
    {"bho", "Bho", SCRIPT_DEVANAGARI, false, "bho", ""},
    {"am", "Am", SCRIPT_ETHIOPIC, true, "am", ""},
    {"ti", "Ti", SCRIPT_ETHIOPIC, false, "ti", ""},
    {"zh", "Zh", SCRIPT_HAN, true, NULL, ""},
    {"ja", "Ja", SCRIPT_KANA, true, NULL, ""},
    {"ko", "Ko", SCRIPT_HANGUL, true, NULL, ""},
    {"el", "El", SCRIPT_GREEK, true, NULL, ""},
    {"hy", "Hy", SCRIPT_ARMENIAN, true, NULL, ""},
    {"bn", "Bn", SCRIPT_BENGALI, true, NULL, ""},
    {"pa", "Pa", SCRIPT_GURMUKHI, true, NULL, ""},
    {"gu", "Gu", SCRIPT_GUJARATI, true, NULL, ""},
    {"ta", "Ta", SCRIPT_TAMIL, true, NULL, ""},
    {"te", "Te", SCRIPT_TELUGU, true, NULL, ""},
    {"kn", "Kn", SCRIPT_KANNADA, true, NULL, ""},
    {"ml", "Ml", SCRIPT_MALAYALAM, true, NULL, ""},
    {"si", "Si", SCRIPT_SINHALA, true, NULL, ""},
    {"th", "Th", SCRIPT_THAI, true, NULL, ""},
    {"lo", "Lo", SCRIPT_LAO, true, NULL, ""},
    {"bo", "Bo", SCRIPT_TIBETAN, true, NULL, ""},
    {"my", "My", SCRIPT_BURMESE, true, NULL, ""},
    {"ka", "Ka", SCRIPT_GEORGIAN, true, NULL, ""},
    {"km", "Km", SCRIPT_KHMER, true, NULL, ""},
};
/* clang-format on */
const size_t lang_count = sizeof(lang_table) / sizeof(lang_table[0]);

_Static_assert(sizeof(lang_table) / sizeof(lang_table[0]) <= LANG_MOST, "LANG_MOST is too small");

size_t lang_find(drh_str code)
{
    size_t i = 0;
    while (i < lang_count && !drh_str_eq(code, lang_table[i].code) &&
           !drh_str_eq(code, lang_table[i].written)) {
        i++;
    }
    return i;
}

size_t lang_of_script(enum lang_script script, const bool *chosen)
{
    for (size_t i = 1; i < lang_count; i++) {
        if (chosen[i] && lang_table[i].script == script) {
            return i;
        }
    }
    return LANG_UND;
}

/* Blocks of Unicode, in order.  Marks that belong to letters are in them. */
static const struct {
    uint32_t         first, last;
    enum lang_script script;
} blocks[] = {
    {0x41, 0x5a, SCRIPT_LATIN},        {0x61, 0x7a, SCRIPT_LATIN},
    {0xaa, 0xaa, SCRIPT_LATIN},        {0xba, 0xba, SCRIPT_LATIN},
    {0xc0, 0x24f, SCRIPT_LATIN},       {0x250, 0x2af, SCRIPT_LATIN},
    {0x370, 0x3ff, SCRIPT_GREEK},      {0x400, 0x52f, SCRIPT_CYRILLIC},
    {0x531, 0x58f, SCRIPT_ARMENIAN},   {0x591, 0x5ff, SCRIPT_HEBREW},
    {0x600, 0x6ff, SCRIPT_ARABIC},     {0x750, 0x77f, SCRIPT_ARABIC},
    {0x8a0, 0x8ff, SCRIPT_ARABIC},     {0x900, 0x97f, SCRIPT_DEVANAGARI},
    {0x980, 0x9ff, SCRIPT_BENGALI},    {0xa00, 0xa7f, SCRIPT_GURMUKHI},
    {0xa80, 0xaff, SCRIPT_GUJARATI},   {0xb80, 0xbff, SCRIPT_TAMIL},
    {0xc00, 0xc7f, SCRIPT_TELUGU},     {0xc80, 0xcff, SCRIPT_KANNADA},
    {0xd00, 0xd7f, SCRIPT_MALAYALAM},  {0xd80, 0xdff, SCRIPT_SINHALA},
    {0xe00, 0xe7f, SCRIPT_THAI},       {0xe80, 0xeff, SCRIPT_LAO},
    {0xf00, 0xfff, SCRIPT_TIBETAN},    {0x1000, 0x109f, SCRIPT_BURMESE},
    {0x10a0, 0x10ff, SCRIPT_GEORGIAN}, {0x1100, 0x11ff, SCRIPT_HANGUL},
    {0x1200, 0x139f, SCRIPT_ETHIOPIC}, {0x1780, 0x17ff, SCRIPT_KHMER},
    {0x1e00, 0x1eff, SCRIPT_LATIN},    {0x1f00, 0x1fff, SCRIPT_GREEK},
    {0x3041, 0x30ff, SCRIPT_KANA},     {0x3130, 0x318f, SCRIPT_HANGUL},
    {0x31f0, 0x31ff, SCRIPT_KANA},     {0x3400, 0x4dbf, SCRIPT_HAN},
    {0x4e00, 0x9fff, SCRIPT_HAN},      {0xac00, 0xd7a3, SCRIPT_HANGUL},
    {0xf900, 0xfaff, SCRIPT_HAN},      {0xfb1d, 0xfb4f, SCRIPT_HEBREW},
    {0xfb50, 0xfdff, SCRIPT_ARABIC},   {0xfe70, 0xfeff, SCRIPT_ARABIC},
    {0xff21, 0xff3a, SCRIPT_LATIN},    {0xff41, 0xff5a, SCRIPT_LATIN},
    {0xff66, 0xff9f, SCRIPT_KANA},     {0x20000, 0x3ffff, SCRIPT_HAN},
};

enum lang_script lang_script_of(uint32_t c)
{
    size_t low = 0, high = sizeof(blocks) / sizeof(blocks[0]);

    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (c > blocks[middle].last) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < sizeof(blocks) / sizeof(blocks[0]) && c >= blocks[low].first ? blocks[low].script
                                                                              : SCRIPT_NONE;
}
