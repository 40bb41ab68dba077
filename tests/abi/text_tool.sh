#!/bin/sh
# SPDX-License-Identifier: MIT
# text_tool.sh SDK - abi_text.sh sees a break: each mutant of the headers must be judged as stated.
set -eu
sdk=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
bad=0

# mutant NAME pass|fail FILE SED-PROGRAM
mutant() {
    rm -rf "$dir/m"
    cp -r "$sdk/include" "$dir/m"
    sed -i "$4" "$dir/m/drh/$3"
    if cmp -s "$sdk/include/drh/$3" "$dir/m/drh/$3"; then
        echo "$1: the mutant is equal to the original, adjust this test" >&2
        bad=1
        return
    fi
    "$sdk/abi/abi_text.sh" "$dir/m" >"$dir/new"
    if "$sdk/abi/abi_text.sh" --check "$dir/old" "$dir/new" >"$dir/out"; then got=pass; else got=fail; fi
    if [ "$got" != "$2" ]; then
        echo "$1: must $2, but did $got" >&2
        cat "$dir/out" >&2
        bad=1
    fi
}

"$sdk/abi/abi_text.sh" "$sdk/include" >"$dir/old"
mutant comment pass plugin.h 's/never freed by anyone/freed by no one/'
mutant append-member pass plugin.h 's/^} drh_life;/    void (*later)(void *self);\n} drh_life;/'
mutant append-enumerator pass plugin.h 's/^       DRH_KIND_SERVICE$/       DRH_KIND_SERVICE,\n       DRH_KIND_LATER/'
mutant append-in-union pass plugin.h 's/^        const void              \*any;/&\n        const drh_life *later;/'
mutant new-struct pass infer.h 's/^typedef struct drh_infer {/typedef struct drh_later { uint32_t struct_size; } drh_later;\n&/'
mutant new-constant pass infer.h 's/^#define DRH_INFER .*/&\n#define DRH_LATER "drh.later\/1"/'
mutant minor pass plugin.h 's/^#define DRH_ABI_MINOR 0u/#define DRH_ABI_MINOR 1u/'
mutant insert-member fail plugin.h 's/^    void (\*destroy)(void \*self);/    void (*later)(void *self);\n&/'
mutant return-type fail plugin.h 's/^    void (\*destroy)(void \*self);/    drh_status (*destroy)(void *self);/'
mutant argument fail plugin.h 's/(\*close_worker)(void \*self, void \*worker)/(*close_worker)(void *worker)/'
mutant rename-member fail infer.h 's/ finish; / n_other; /'
mutant renumber fail plugin.h 's/^       DRH_KIND_READER,/       DRH_KIND_LATER,\n&/'
mutant new-number fail plugin.h 's/DRH_E_ARG = 16,/DRH_E_ARG = 17,/'
mutant remove-enumerator fail plugin.h '/^       DRH_KIND_SERVICE$/d'
mutant remove-member fail plugin.h '/(\*cancel)(void \*self);/d'
mutant array-length fail plugin.h 's/char       field\[64\]/char       field[32]/'
mutant union-order fail plugin.h 's/^        const drh_reader_ops    \*reader;//'
mutant constant fail infer.h 's/"drh.infer\/1"/"drh.infer\/2"/'
mutant type fail plugin.h 's/^typedef int32_t drh_status;/typedef int64_t drh_status;/'
exit $bad
