#!/bin/sh
# SPDX-License-Identifier: MIT
# secure.sh - encrypted connections (F17): whom to trust, what breaks, and that no token leaves them.
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pull.sh"

cat >"$T/spec.json" <<'END'
{ "tokens": [ { "token": "hf_canary", "hub": "hf", "user": "alice", "can": ["o/private"], "tls_only": true } ],
  "repos": [ { "hub": "both", "id": "o/d", "license": "mit", "files": [
      { "path": "README.md", "text": "# hi\n" },
      { "path": "big.bin", "size": 12000000, "seed": 3, "kind": "lfs" } ] },
    { "hub": "hf", "id": "o/private", "private": true, "files": [ { "path": "a.json", "text": "{}\n" },
      { "path": "a.bin", "size": 9000000, "seed": 5, "kind": "lfs" } ] } ] }
END
hub_cert "$T/good.pem" "$T/good.key"
hub_start "$T/spec.json" --tls "$T/good.pem" "$T/good.key"
from hf
HUBURL=https://localhost:$HUBS
unset SSL_CERT_FILE CURL_CA_BUNDLE REQUESTS_CA_BUNDLE

case_of "an authority nobody knows"
pull 1 o/d
has "$T/err" "its certificate is not trusted" "SSL_CERT_FILE"
case_of "one that the environment, or an option, names"
SSL_CERT_FILE=$T/good.pem pull 0 o/d
whole o/d
OUT=
pull 0 o/d --set "services.http.ca_file=$T/good.pem"
whole o/d
export SSL_CERT_FILE="$T/good.pem"

case_of "a private repository: the token goes where it is encrypted, and to the hub alone"
HF_TOKEN=hf_canary pull 0 o/private
has "$OUT/a.json" "{}"
hub_safe
case_of "F18 a redirect from https to http" \
    "[{\"match\":{\"file\":\"README.md\"},\"action\":\"redirect\",\"to\":\"http://localhost:$HUB/{target}\"}]"
HF_TOKEN=hf_canary pull 1 o/d README.md
has "$T/err" "redirects from https to http"
hub_safe

case_of "F17 the connection ends without a word, in the middle" \
    '[{"match":{"file":"big.bin"},"count":2,"action":"drop","after":2000000,"how":"no-notify"},
      {"match":{"file":"README.md"},"count":1,"action":"drop","after":2,"how":"no-notify"}]'
pull 0 o/d
whole o/d
case_of "F17 handshakes are reset" '[{"match":{"port":"hubs"},"count":2,"action":"refuse"},
    {"match":{"port":"cdns"},"count":2,"action":"refuse"}]'
pull 0 o/d
whole o/d
case_of "F17 always" '[{"match":{"port":"cdns"},"action":"refuse"}]'
pull 75 o/d
absent big.bin
hub_stop

for bad in wrong-host expired; do
    case $bad in
    wrong-host) hub_cert "$T/bad.pem" "$T/bad.key" example.invalid ;;
    expired) hub_cert "$T/bad.pem" "$T/bad.key" localhost -3 ;;
    esac
    hub_start "$T/spec.json" --tls "$T/bad.pem" "$T/bad.key"
    HUBURL=https://localhost:$HUBS
    OUT=$T/out-$bad
    echo "- a certificate that is $bad"
    SSL_CERT_FILE=$T/bad.pem pull 1 o/d
    has "$T/err" "its certificate is not trusted"
    hub_stop
done
