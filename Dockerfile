FROM rust:1.95-bookworm AS build
WORKDIR /usr/src/purchase-order-webhook
# .dockerignore lists the files that are copied.
COPY . .
# The cached target directory is no layer, so the binary is copied out of it in the same step. Cargo detects changed sources by their
# time alone: without the touch, an older checkout would get the cached build of a newer one. `locked`: parallel builds must not swap
# binaries. Without default features, the sandbox (a token issuer and an 11VMS for tests) is not in the binary.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/usr/src/purchase-order-webhook/target,sharing=locked \
    touch src/*.rs \
    && cargo build --release --locked --no-default-features \
    && cp target/release/purchase-order-webhook /usr/local/bin/

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="purchase-order-webhook" \
      org.opencontainers.image.description="Turns approved SAP SRM 7 shopping carts into purchase orders in 11VMS: exactly one order a cart." \
      org.opencontainers.image.licenses="Apache-2.0"
# Outbound TLS trusts the system's certificates. Both stages are the same Debian: this is the file apt would install, without apt.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /usr/local/bin/purchase-order-webhook /usr/local/bin/
COPY mapping /etc/purchase-order-webhook/mapping
RUN install --directory --owner=10001 --group=10001 /var/lib/purchase-order-webhook
# The only folder that the service writes to; as a volume, it stays writable under a read-only root.
VOLUME /var/lib/purchase-order-webhook
WORKDIR /var/lib/purchase-order-webhook
# A number: Kubernetes can verify that it is not root.
USER 10001:10001
# The API; probes.
EXPOSE 8080 9090
ENTRYPOINT ["/usr/local/bin/purchase-order-webhook"]
CMD ["serve"]
