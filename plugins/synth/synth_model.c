/* SPDX-License-Identifier: MIT
 *
 * synth_model.c - what synthesizers ask of the model service; see synth.h.
 */
#include "synth.h"

drh_status synth_model(const drh_host *h, const drh_infer *infer, drh_infer_info *info,
                       drh_error *e)
{
    drh_status st;
    info->struct_size = sizeof(*info);
    st = infer->info(h, info);
    if (st != DRH_OK) {
        return drh_fail(e, st, "the model service does not say what it is");
    }
    if (!(info->caps & (1u << DRH_INFER_GENERATE))) {
        return drh_fail(e, DRH_E_CONFIG, "the model %s writes no text; choose another backend",
                        info->model);
    }
    if (info->flags & DRH_INFER_NO_CHAT) {
        return drh_fail(
            e, DRH_E_CONFIG,
            "%s has no chat template, so it cannot be asked for answers; use a chat model",
            info->model);
    }
    return DRH_OK;
}

drh_status synth_failure(const drh_infer_res *res, const char **why, drh_error *e)
{
    *why = res->error && res->error->message[0] ? res->error->message : "no reason given";
    if (res->status == DRH_E_UNSUPPORTED || res->status == DRH_E_CONFIG) {
        return drh_fail(e, res->status, "%s", *why);
    }
    return DRH_OK;
}

const char *synth_bad_answer(drh_str s, int keep_refusals)
{
    return s.len == 0                           ? "empty_answer"
           : synth_leaks(s)                     ? "template_leak"
           : !keep_refusals && synth_refuses(s) ? "refusal"
                                                : NULL;
}
