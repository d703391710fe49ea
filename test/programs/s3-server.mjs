// An S3-compatible server on loopback: `s3-server.mjs <folder> <port> <bucket>`. Prints its port when it listens.
import S3rver from '@20minutes/s3rver';

const [folder, port, bucket] = process.argv.slice(2);
const server = new S3rver({
  address: '127.0.0.1',
  port: Number(port),
  directory: folder,
  silent: true,
  configureBuckets: [{ name: bucket, configs: [] }],
});
// The SDK signs `/<bucket>/`, this server `/<bucket>`: for requests of a whole bucket it cannot check signatures.
server.middleware.unshift((ctx, next) => {
  if (/^\/[^/]+\/$/.test(ctx.path)) ctx.app = Object.create(ctx.app, { allowMismatchedSignatures: { value: true } });
  return next();
});
const { port: listening } = await server.run();
process.stdout.write(`${listening}\n`);
