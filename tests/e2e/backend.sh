#!/bin/sh
# SPDX-License-Identifier: MIT
# backend.sh - either backend runs the same recipe, by one word; without it the fitter one at the
# asked precision is taken and the log says why; what was made by another one is made again.
. "$(dirname "$0")/lib.sh"
"$DRH_BUILD/tests/make_model" "$T/wide" --width 768 --layers 2 --seed 1 >/dev/null
mkdir "$T/src"
sources "$T/src" 12
recipe "$T/r.json" "$T/d" "$T/src" "$T/wide"

# made BACKEND PRECISION - what the report says of who computed.
made() {
    run 0 report --json "$T/r.json"
    tr -d '\t\n' <"$T/out" >"$T/flat"
    has "$T/flat" "\"use\":\"$1\""
    grep -q "\"identity\":\"gpt2 sha256:[0-9a-f]* $1/2 [^\"]* $2 pack=" "$T/flat" ||
        fail "the report does not name $1 with $2"
}

# losses - of all records that the last run selected, in order.
losses() {
    cat "$T"/d/processed/v1/*.jsonl | grep -o '"loss":\[[^]]*\]' | tr -d '"los:[]' | tr , ' '
}

# An OpenBLAS that is older than the CPU may take it for one without AVX2.
! grep -qw avx2 /proc/cpuinfo || export OPENBLAS_CORETYPE=Haswell
echo "- by itself, f32"
run 0 run "$T/r.json"
has "$T/err" "infer: infer-openblas, the fittest of " "infer-onednn 40 (f32" "infer-openblas 50 (f32"
[ "$(grep -c 'the fittest of' "$T/err")" = 1 ] || fail "the choice is not logged once"
made infer-openblas f32
losses >"$T/openblas"
[ -s "$T/openblas" ] || fail "no losses"
run 0 run "$T/r.json"
has "$T/err" "nothing had to be done again"

echo "- the other one, by name"
run 0 run "$T/r.json" --backend infer-onednn
hasnt "$T/err" "nothing had to be done again"
hasnt "$T/err" "the fittest of"
made infer-onednn f32
losses >"$T/onednn"
paste -d ' ' "$T/openblas" "$T/onednn" | awk '
    function off(a, b) { d = a - b; return (d < 0 ? -d : d) > 1e-4 * b }
    NF != 4 || off($1, $3) || off($2, $4) { print "row " NR ": " $0; bad++ }
    END { exit bad > 0 }' >&2 || fail "the backends differ by more than 1e-4"
run 0 run "$T/r.json" --backend infer-openblas
made infer-openblas f32
losses >"$T/again"
same "$T/openblas" "$T/again"

if grep -qw avx2 /proc/cpuinfo; then
    echo "- an OpenBLAS that does not know the CPU"
    export OPENBLAS_CORETYPE=Prescott
    run 0 run "$T/r.json"
    has "$T/err" "infer: infer-onednn, the fittest of " "infer-openblas 30 (f32; slow, as OpenBLAS" \
        "Prescott: set OPENBLAS_CORETYPE="
    run 0 run "$T/r.json" --backend infer-openblas
    has "$T/err" "warning: infer: " "takes the CPU for a Prescott" "set OPENBLAS_CORETYPE="
    made infer-openblas f32
    export OPENBLAS_CORETYPE=Haswell
fi

echo "- bf16 where it is not to be had"
export ONEDNN_MAX_CPU_ISA=AVX2
run 1 run "$T/r.json" --precision bf16 --backend infer-onednn
has "$T/err" "precision bf16 needs a CPU with AVX512_BF16 or AMX" "take precision f32"
run 2 run "$T/r.json" --precision bf16
has "$T/err" "nobody can serve drh.infer/1" "infer-onednn: precision bf16 needs" 'infer-openblas: '
run 2 run "$T/r.json" --precision bf16 --backend infer-openblas
has "$T/err" '/services/infer/precision: must be "f32", is "bf16"'
run 1 run "$T/r.json" --precision int8 --backend infer-onednn
has "$T/err" "precision int8 needs a CPU with AVX512_VNNI" "take precision f32"
run 2 run "$T/r.json" --precision int8 --backend infer-openblas
has "$T/err" '/services/infer/precision: must be "f32", is "int8"'
run 2 run "$T/r.json" --precision int4 --backend infer-onednn
has "$T/err" '/services/infer/precision: must be "f32", "bf16" or "int8", is "int4"'
unset ONEDNN_MAX_CPU_ISA

# coarse PRECISION FLAG - the same by 1, 2 and 8 workers, where the CPU has the flag.
coarse() {
    grep -qw "$2" /proc/cpuinfo || {
        echo "- no $2 here: $1 is left out"
        return
    }
    echo "- $1: 1, 2 and 8 workers"
    run 0 run "$T/r.json" --precision "$1"
    made infer-onednn "$1"
    losses >"$T/$1"
    ! cmp -s "$T/openblas" "$T/$1" || fail "$1 has the bits of f32"
    for jobs in 1 2 8; do
        rm -rf "$T/d"
        run 0 run "$T/r.json" --set "services.infer.precision=$1" -j $jobs
        results "$T/d" v1 >"$T/got"
        [ -f "$T/want-$1" ] || cp "$T/got" "$T/want-$1"
        same "$T/want-$1" "$T/got"
    done
}
coarse bf16 avx512_bf16
coarse int8 avx512_vnni
