// `server.js http|http2 PORT`
const [kind, port] = process.argv.slice(2);
const answer = (_, response) => response.end('ok');
require(kind === 'http2' ? 'node:http2' : 'node:http').createServer(answer).listen(Number(port), '127.0.0.1');
