FROM rust:1.95-bookworm AS build
WORKDIR /usr/src/purchase-order-webhook

# Dependencies, as a layer of their own: it is made anew only when one of these files changes, also where no cache outlives a build.
# Cargo refuses a manifest that names targets whose files are missing, so each gets an empty one.
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
COPY vendor vendor
RUN mkdir src && touch src/lib.rs && echo 'fn main() {}' >src/main.rs \
    && { sed -n 's/^path = "\(tests\/.*\)"/\1/p' Cargo.toml; sed -n '/^\[\[bench\]\]/{n;s/^name = "\(.*\)"/benches\/\1.rs/p}' Cargo.toml; } >stubs \
    && while read -r stub; do mkdir -p "$(dirname "$stub")" && echo 'fn main() {}' >"$stub"; done <stubs \
    && cargo build --release --locked --no-default-features --lib --bins

# Cargo detects changed sources by their time alone: without the touch, an older checkout would get the stubs. Without default
# features, the sandbox (a token issuer and an 11VMS for tests) is not in the binary.
COPY src src
# The pages are compiled from these.
COPY templates templates
COPY docs/messages.md docs/
COPY mapping mapping
# `settings` prints it.
COPY config.example.toml ./
RUN find src -name '*.rs' -exec touch {} + \
    && cargo build --release --locked --no-default-features --bins

# Everything of the image: the binary, the libraries that it needs, the certificates that outbound TLS trusts, and how names are
# looked up (without this file, the hosts that a platform writes into /etc/hosts would be asked for last).
COPY mapping /image/etc/purchase-order-webhook/mapping
RUN install -D target/release/purchase-order-webhook /image/usr/local/bin/purchase-order-webhook \
    && ldd target/release/purchase-order-webhook | awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }' >libraries \
    && while read -r library; do install -D "$(readlink -f "$library")" "/image$library"; done <libraries \
    && install -D -m 644 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt \
    && echo 'hosts: files dns' >/image/etc/nsswitch.conf \
    # Versions and licences of what is not Rust: scripts/sbom reads the one, whoever passes the image on needs the other.
    && mkdir -p /image/usr/share/doc \
    && for package in ca-certificates libc6 libgcc-s1; do \
         dpkg-query --show --showformat '${Package} ${Version} ${Architecture}\n' "$package" >>/image/usr/share/doc/debian-packages \
         && install -D -m 644 "/usr/share/doc/$package/copyright" "/image/usr/share/doc/$package/copyright" || exit 1; \
       done \
    && mkdir -p /data/purchase-order-webhook

# No distribution: no shell, no package manager, nothing that a scanner could find or an intruder could use.
FROM scratch
LABEL org.opencontainers.image.title="purchase-order-webhook" \
      org.opencontainers.image.description="Turns approved SAP SRM 7 shopping carts into purchase orders in 11VMS: exactly one order a cart." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="scratch"
COPY --from=build /image/ /
COPY --from=build --chown=10001:10001 /data/ /var/lib/
ENV PATH=/usr/local/bin
# The only folder that the service writes to; as a volume, it stays writable under a read-only root.
VOLUME /var/lib/purchase-order-webhook
WORKDIR /var/lib/purchase-order-webhook
# A number: Kubernetes can verify that it is not root, and no file has to name it.
USER 10001:10001
# The API; probes and metrics.
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
# Liveness: a restart cures neither a ledger that is down nor an 11VMS. A start may wait a minute for its database.
HEALTHCHECK --interval=30s --timeout=10s --start-period=2m --retries=3 CMD ["/usr/local/bin/purchase-order-webhook", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/purchase-order-webhook"]
CMD ["serve"]
