/* SPDX-License-Identifier: MIT
 * hello_filter - a whole plugin: drops records whose conversation has less than 64 bytes. */
#include <drh/util.h>

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    (void)c, (void)e;
    *self = (void *)(uintptr_t)h; /* all that process() needs */
    return DRH_OK;
}
static void destroy(void *self)
{
    (void)self;
}
static drh_status process(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e)
{
    const drh_host *h = self;
    drh_field       turns = drh_field_of(h, "conversations");
    for (size_t i = 0; i < n; i++) {
        drh_str text; /* {NULL, 0} when there are none */
        (void)h->records->get_json(r[i], turns, &text);
        (void)(text.len < 64 ? h->records->drop(r[i], "too_short", NULL, 0)
                             : h->records->keep(r[i]));
    }
    return (void)worker, (void)e, DRH_OK;
}
/* clang-format off */
static const drh_life LIFE = {.struct_size = sizeof(LIFE), .create = create, .destroy = destroy};
static const drh_map_ops OPS = {.struct_size = sizeof(OPS), .process = process};
static const drh_stage STAGE = {
    .struct_size = sizeof(STAGE), .kind = DRH_KIND_PREPROCESSOR, .id = "hello_filter",
    .version = "1.0.0", .summary = "drop short conversations", .threading = DRH_WORKERS,
    .flags = DRH_DETERMINISTIC | DRH_WANTS_CANONICAL, .life = &LIFE, .ops.map = &OPS};
static const drh_stage *const STAGES[] = {&STAGE};
const drh_entry drh_entry_v1 = {
    .struct_size = sizeof(drh_entry_v1), .n_stages = 1, .stages = STAGES,
    .name = "hello_filter", .version = "1.0.0", .license = "MIT"};
DRH_PLUGIN_NOTE(0, "preprocessor hello_filter 1.0.0");
