# Build: everything that compiles, including the native SQLite module where no ready one fits.
FROM node:20-bookworm-slim AS build
RUN apt-get update \
  && apt-get install --yes --no-install-recommends python3 make g++ ca-certificates \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
# Of the native module its binary is what runs; of the build the program, without what measures it.
RUN npm run build && npm prune --omit=dev \
  && rm -rf node_modules/better-sqlite3/deps node_modules/better-sqlite3/src dist/bench \
  && find node_modules/better-sqlite3/build -type f ! -name better_sqlite3.node -delete \
  && find dist -name '*.map' -delete

# Run: the program and what it needs, as a user without rights, with one writable folder.
FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
RUN install --directory --owner=node --group=node --mode=0700 /data
USER node
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/health/ready').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/src/main.js"]
# With a configuration: serve --config /config/gateway.yaml --listen 0.0.0.0:8080 --data /data
CMD ["serve", "--listen", "0.0.0.0:8080", "--data", "/data"]
