#!/bin/sh
# SPDX-License-Identifier: MIT
# away.sh - a hub that is away for a while, in a recipe: what was verified stays as it is, another hub
# brings the same and nothing else.
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pull.sh"

cat >"$T/spec.json" <<'END'
{ "repos": [
    { "hub": "both", "id": "org/two", "tags": { "v1.0": "v1" }, "commits": [
      { "name": "v1", "files": [ { "path": "a.json", "text": "[{\"instruction\":\"q\",\"output\":\"one\"}]\n" },
        { "path": "b.json", "text": "[{\"instruction\":\"q\",\"output\":\"b\"}]\n" } ] },
      { "name": "v2", "from": "v1", "files": [ { "path": "a.json", "text": "[{\"instruction\":\"q\",\"output\":\"two\"}]\n" } ] } ] } ] }
END
hub_start "$T/spec.json"
HF=http://127.0.0.1:$HUB MSURL=http://127.0.0.1:$MS

echo "- nobody answers: what was verified stays; another hub brings what is missing, if it is the same"
recipe_two() { # FILES MORE-OF-THE-ALTERNATIVE
    cat >"$T/two.json" <<END
{ "recipe": 1, "version": "v1", "data": "$T/two",
  "services": { "http": { "pause": 0.02, "longest_pause": 0.1, "stall": 3, "patience": 5, "tries": 2 } },
  "sources": [ { "use": "hf-mirror", "id": "hf", "repo": "org/two", "endpoint": "$HF", "dataset": "two", "revision": "v1.0", "include": [$1],
     "or": [ { "use": "modelscope", "repo": "org/two"${2-}, "endpoint": "$MSURL" } ] } ] }
END
}
recipe_two '"a.json"'
run 0 run "$T/two.json"
has "$T/two/raw/General/two/a.json" '"one"'
hub_ctl POST '/port?name=hub&open=0' >/dev/null
run 0 run "$T/two.json"
has "$T/err" "has verified in" "nothing had to be done again"
has "$T/two/raw/General/two/a.json" '"one"'
rm "$T/two/raw/General/two/a.json"
run 75 run "$T/two.json"
has "$T/err" "changed or missing here"
recipe_two '"a.json"' ', "revision": "v1.0"'
run 0 run "$T/two.json"
has "$T/err" "1 file of hf: on from modelscope"
has "$T/two/raw/General/two/a.json" '"one"'
has "$T/two/.drhost/v1/sources.json" '"source":"hf-mirror:org/two@'

echo "- an alternative brings the same files as its source; other content is not brought in silence"
recipe_two '"a.json", "x.json"'
run 0 run "$T/two.json"
has "$T/err" "trying modelscope" "the revision of hf means nothing to modelscope" \
    "has other content than what was verified here, and it will be replaced: 1 file, a.json"
has "$T/two/raw/General/two/a.json" '"two"'
[ ! -e "$T/two/raw/General/two/b.json" ] || fail "an alternative brought what was not asked for"
recipe_two '"a.json", "y.json"' ', "files": ["b.json"]'
run 0 run "$T/two.json"
[ -e "$T/two/raw/General/two/b.json" ] || fail "an alternative did not bring the files that it names"

echo "- nobody answers, and the other hub does not have it: try again later"
recipe_two '"z.json"'
sed 's|"use": "modelscope", "repo": "org/two"|"use": "modelscope", "repo": "org/nope"|' "$T/two.json" >"$T/nope.json"
run 75 run "$T/nope.json"
hub_ctl POST '/port?name=hub&open=1' >/dev/null

hub_stop
