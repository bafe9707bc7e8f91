"""What Schemathesis needs to be told: NDJSON is sent as the text that it is."""

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def serialize_lines(ctx, value):
    return (value if isinstance(value, str) else str(value)).encode()
