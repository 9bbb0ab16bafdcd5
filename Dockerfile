# Two images of the same program: `ingester` runs the service; `tools` also has pg_dump and psql, of exactly the version
# of the server.
ARG NODE=node:22.23.2-trixie-slim
ARG POSTGRES=postgres:17.11-trixie

FROM ${NODE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc tsconfig.base.json tsconfig.json ./
COPY packages packages
RUN npm ci --no-audit --no-fund --ignore-scripts && npm run build

# The runtime: no development packages, and no binaries of the embedded PostgreSQL.
FROM build AS dependencies
RUN npm ci --no-audit --no-fund --ignore-scripts --omit=dev --omit=optional \
 && npm sbom --package-lock-only --omit=dev --omit=optional --sbom-format=cyclonedx > sbom.cdx.json \
 && rm -rf packages/*/src packages/*/test packages/*/tsconfig.json packages/console/public packages/console/*.html packages/console/*config* packages/*/dist/.tsbuildinfo package-lock.json .npmrc tsconfig*.json

FROM ${NODE} AS ingester
WORKDIR /app
ENV NODE_ENV=production
COPY --from=dependencies /app /app
# A new volume for QS_DATA_DIR gets this owner.
RUN install -d -o node -g node -m 0700 /data
USER node
EXPOSE 8080
ENTRYPOINT ["/app/packages/qs/bin/qs.js"]
CMD ["ingest"]

FROM ${NODE} AS node

FROM ${POSTGRES} AS tools
WORKDIR /app
ENV NODE_ENV=production
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=dependencies /app /app
USER postgres
ENTRYPOINT ["/app/packages/qs/bin/qs.js"]
CMD ["--help"]
