/* SPDX-License-Identifier: MIT
 * The library that missing_dependency needs and does not find. */
int zoo_gone(void);

__attribute__((visibility("default"))) int zoo_gone(void)
{
    return 0;
}
