/* SPDX-License-Identifier: MIT
 * cmd_version.c - `drhost version`. [main] */
#include "cli.h"
#include "cmd.h"

int cmd_version(const struct cli_options *o)
{
    if (o->json) {
        (void)printf("{\"version\":\"%s\",\"abi_major\":%u,\"abi_minor\":%u}\n", DRH_HOST_VERSION,
                     DRH_ABI_MAJOR, DRH_ABI_MINOR);
    } else {
        (void)printf("drhost %s (plugin ABI %u.%u)\n", DRH_HOST_VERSION, DRH_ABI_MAJOR,
                     DRH_ABI_MINOR);
    }
    return cli_done(RC_OK);
}
