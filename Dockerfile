# One image for every role: `start` (all in one, the default), `gateway`, `console`. State lives in /data and nowhere else,
# so the root file system may be read-only; /tmp wants a tmpfs. What the school decides is mounted over /app/policies and
# /app/blocklists.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# Without the Node of our own that an optional package brings: this image is one. The other optional packages hold native code.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
 && rm -rf node_modules/node-linux-* node_modules/.bin/node

FROM node:24-slim
ENV NODE_ENV=production \
    SCHOOLGATE_DATA_DIR=/data
WORKDIR /app
# A named volume takes over owner and mode of the folder it is mounted on.
RUN mkdir --mode=0700 /data && chown node:node /data
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json ./
COPY bin ./bin
COPY policies ./policies
COPY blocklists ./blocklists
COPY src ./src
USER node
VOLUME /data
EXPOSE 3128 8800 8801
# Of a gateway; a container with the console alone has no proxy port and brings a check of its own.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.SCHOOLGATE_PROXY_PORT || 3128}/health`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/schoolgate.mjs"]
CMD ["start"]
