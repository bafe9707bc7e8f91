#!/usr/bin/env bash
# Sends a cart, and prints the number of its purchase order. Needs curl and jq.
#
#   PO_WEBHOOK_URL=… TOKEN_URL=… CLIENT_ID=… CLIENT_SECRET=… [SCOPE=…] send-cart.sh CART.json
#
# Ends with 0: there is an order; 1: somebody has to act; 2: not known yet, run it again with the same file.
set -euo pipefail

cart=${1:?expected a file with a cart}
: "${PO_WEBHOOK_URL:?}" "${TOKEN_URL:?}" "${CLIENT_ID:?}" "${CLIENT_SECRET:?}"
export CLIENT_ID CLIENT_SECRET
# How often the cart is sent, and its order asked for.
sends=5 polls=60
answer=$(mktemp -d)
trap 'rm -rf "$answer"' EXIT

# Client credentials (RFC 6749 §4.4). Secrets go by a file descriptor: a command line can be seen by every user of the machine.
# XSUAA decodes encoded credentials only if it is told so.
fetch_token() {
  local user
  user=$(jq -rn '"\(env.CLIENT_ID | @uri):\(env.CLIENT_SECRET | @uri)"')
  curl --silent --show-error --fail --max-time 30 --config <(echo "user = \"$user\"") \
    --header 'X-CF-ENCODED-CREDENTIALS: true' --data grant_type=client_credentials \
    ${SCOPE:+--data-urlencode "scope=$SCOPE"} "$TOKEN_URL" | jq --raw-output --exit-status .access_token
}

# call URL [OPTION…]: leaves headers and body in $answer, and sets status; 000 if there was no answer.
# 60 s: longer than the service's own deadline of 50 s.
call() {
  local url=$1
  shift
  status=$(curl --silent --show-error --max-time 60 --config <(echo "header = \"Authorization: Bearer $token\"") \
    --dump-header "$answer/headers" --output "$answer/body" --write-out '%{http_code}' "$@" "$url") || status=000
}

# The seconds of Retry-After, or else 10.
retry_after() {
  local seconds
  seconds=$(awk 'tolower($1) == "retry-after:" { print int($2) }' "$answer/headers")
  echo "${seconds:-10}"
}

# Prints title, detail and every message of a problem (RFC 9457).
explain() {
  jq --raw-output '"\(.status) \(.title): \(.detail)", (.messages[]? | "  \(.type) \(.number) \(.message)"), "  requestId \(.requestId)"' \
    "$answer/body" >&2 2>/dev/null || { echo "$status" && cat "$answer/body"; } >&2
}

# Asks for an order that is still open (202), until it is settled.
await_order() {
  local path seconds
  path=$(awk 'tolower($1) == "location:" { print $2 }' "$answer/headers" | tr -d '\r')
  seconds=$(retry_after)
  for ((poll = 1; poll <= polls; poll++)); do
    echo "still open; asked again in $seconds s" >&2
    sleep "$seconds"
    call "${PO_WEBHOOK_URL%/}$path"
    case $status-$(jq --raw-output .state "$answer/body" 2>/dev/null) in
      200-created) jq --raw-output .purchaseOrderNumber "$answer/body" && exit 0 ;;
      200-rejected | 200-parked | 200-cancelled)
        jq --raw-output '"the order is \(.state)", (.messages[]? | "  \(.type) \(.number) \(.message)")' "$answer/body" >&2
        exit 1
        ;;
    esac
  done
  exit 2
}

token=$(fetch_token)
renewed=
for ((try = 1; try <= sends; try++)); do
  : >"$answer/headers" >"$answer/body"
  call "${PO_WEBHOOK_URL%/}/v2/purchase-orders" --header 'Content-Type: application/json' --data-binary "@$cart"
  case $status in
    # 201: created now. 200: this cart had its order already.
    200 | 201) jq --raw-output .purchaseOrderNumber "$answer/body" && exit 0 ;;
    202) await_order ;;
    401)
      # The token may have expired on its way; a new one is tried once.
      if [ -n "$renewed" ]; then explain && exit 1; fi
      renewed=yes
      token=$(fetch_token)
      ;;
    # No answer, too slow, too many, not now, not known yet: the same cart may always be sent again, and is one order.
    000 | 408 | 429 | 500 | 503 | 504)
      seconds=$(retry_after)
      echo "$status; sent again in $seconds s" >&2
      sleep "$seconds"
      ;;
    # Parked: a person has to look. Without a type it is no problem of the service, but a gateway's page.
    502)
      if jq --exit-status .type "$answer/body" >/dev/null 2>&1; then explain && exit 1; fi
      sleep "$(retry_after)"
      ;;
    # 422: mistakes of the cart, or a refusal of 11VMS. 409: another cart has this id.
    # 400, 403, 413, 415: the request itself is wrong.
    *) explain && exit 1 ;;
  esac
done
echo "no outcome after $sends tries; run this again later" >&2
exit 2
