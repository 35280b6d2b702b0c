'use strict';

/** Steps right before the head of an answer: lib/http/before-head.js, whichever way the head is written. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http2 = require('node:http2');
const { Readable, pipeline } = require('node:stream');
const { after, describe, it } = require('node:test');
const { beforeHead } = require('../../lib/http/before-head.js');
const { send, sendRaw, serve, until } = require('../support/serving.js');

/** Ways to answer, each with what the client gets. */
const WAYS = {
  end: { route: (res) => res.end('text'), text: 'text' },
  'end without content': { route: (res) => res.end(), text: '' },
  'end with an encoding': { route: (res) => res.end('dGV4dA==', 'base64'), text: 'text' },
  'end with a callback': { route: (res) => new Promise((resolve) => res.end('text', resolve)), text: 'text' },
  'write and end': { route: (res) => void (res.write('te'), res.end('xt')), text: 'text' },
  flushHeaders: { route: (res) => void (res.flushHeaders(), res.end('text')), text: 'text' },
  writeHead: { route: (res) => res.writeHead(201).end('text'), text: 'text', status: 201 },
  'writeHead with a reason': {
    route: (res) => res.writeHead(201, 'Fine').end('text'),
    text: 'text',
    status: 201,
    message: 'Fine',
  },
  'writeHead with an object': {
    route: (res) => res.writeHead(201, { 'X-One': '1', 'Set-Cookie': 'theirs=1' }).end('text'),
    text: 'text',
    status: 201,
    headers: { 'x-one': '1', 'set-cookie': ['theirs=1', 'ours=1'] },
  },
  'writeHead with a reason and an object': {
    route: (res) => res.writeHead(201, 'Fine', { 'x-one': ['1', '2'], 'set-cookie': ['a=1', 'b=1'] }).end('text'),
    text: 'text',
    status: 201,
    message: 'Fine',
    headers: { 'x-one': '1, 2', 'set-cookie': ['a=1', 'b=1', 'ours=1'] },
  },
  'writeHead with undefined and an object': {
    route: (res) => res.writeHead(201, undefined, { 'X-One': '1' }).end('text'),
    text: 'text',
    status: 201,
    headers: { 'x-one': '1' },
  },
  'writeHead with an array': {
    route: (res) => res.writeHead(201, ['Set-Cookie', 'a=1', 'X-One', '1', 'Set-Cookie', 'b=1']).end('text'),
    text: 'text',
    status: 201,
    headers: { 'x-one': '1', 'set-cookie': ['a=1', 'b=1', 'ours=1'] },
  },
  'writeHead with pairs': {
    route: (res) => res.writeHead(201, [['Set-Cookie', 'a=1'], ['X-One', '1']]).end('text'),
    text: 'text',
    status: 201,
    headers: { 'x-one': '1', 'set-cookie': ['a=1', 'ours=1'] },
  },
  'writeHead over headers that were set': {
    route(res) {
      res.setHeader('X-One', '0');
      res.setHeader('Set-Cookie', 'old=1');
      res.writeHead(200, { 'X-One': '1', 'Set-Cookie': 'new=1' }).end('text');
    },
    text: 'text',
    headers: { 'x-one': '1', 'set-cookie': ['new=1', 'ours=1'] },
  },
  pipe: { route: (res) => void Readable.from(['te', 'xt']).pipe(res), text: 'text' },
  pipeline: { route: (res) => pipeline(Readable.from(['te', 'xt']), res, () => {}), text: 'text' },
  'a stream that is empty': { route: (res) => void Readable.from([]).pipe(res), text: '' },
  'no content': { route: (res) => void ((res.statusCode = 204), res.end()), text: '', status: 204 },
  'not modified': { route: (res) => void ((res.statusCode = 304), res.end()), text: '', status: 304 },
};

const problem = (error, req, res) => {
  res.statusCode = 500;
  res.setHeader('Content-Type', 'text/plain');
  res.end(`answered: ${error.message}`);
};

describe('beforeHead', () => {
  for (const [way, expected] of Object.entries(WAYS)) {
    it(`does its step once, by ${way}`, async () => {
      let steps = 0;
      const server = await serve((req, res) => {
        beforeHead(req, res, () => {
          steps++;
          assert.equal(res.headersSent, false);
          res.appendHeader('Set-Cookie', 'ours=1');
        });
        assert.equal(steps, 0);
        expected.route(res);
      });
      const answer = await send(server.port);
      assert.equal(steps, 1);
      assert.equal(answer.status, expected.status ?? 200);
      assert.equal(answer.text, expected.text);
      if (expected.message !== undefined) assert.equal(answer.message, expected.message);
      const headers = { 'set-cookie': ['ours=1'], ...expected.headers };
      for (const name of Object.keys(headers)) assert.deepEqual(answer.headers[name], headers[name], name);
    });

    it(`answers what a step throws, by ${way}, and drops the rest`, async () => {
      const seen = [];
      const server = await serve((req, res) => {
        res.on('error', (error) => seen.push(error));
        beforeHead(req, res, () => {
          throw new Error('failed');
        }, problem);
        expected.route(res);
      });
      const answer = await send(server.port);
      assert.equal(answer.status, 500);
      assert.equal(answer.text, 'answered: failed');
      assert.deepEqual(seen, []);
    });
  }

  it('does the steps in their order, those after one that fails not', async () => {
    const done = [];
    const server = await serve((req, res) => {
      beforeHead(req, res, () => done.push('first'), problem);
      beforeHead(req, res, () => {
        done.push('second');
        if (req.url === '/fails') throw new Error('failed');
      }, problem);
      beforeHead(req, res, () => done.push('third'), problem);
      res.end('text');
    });
    assert.equal((await send(server.port)).text, 'text');
    assert.deepEqual(done.splice(0), ['first', 'second', 'third']);
    assert.equal((await send(server.port, { path: '/fails' })).text, 'answered: failed');
    assert.deepEqual(done, ['first', 'second']);
  });

  it('lets the answer to a failed step be written in any way', async () => {
    const ways = [...Object.entries(WAYS)].filter(([way]) => !/pipe|stream/.test(way));
    const answers = new Map(ways.map(([way, { route }]) => [way, route]));
    const server = await serve((req, res) => {
      const route = answers.get(decodeURIComponent(req.url.slice(1)));
      beforeHead(req, res, () => {
        throw new Error('failed');
      }, (error, request, response) => void route(response));
      res.write('dropped');
      res.end('dropped');
    });
    for (const [way, { text, status = 200 }] of ways) {
      const answer = await send(server.port, { path: `/${encodeURIComponent(way)}` });
      assert.deepEqual([answer.status, answer.text], [status, text], way);
    }
  });

  it('answers 500 without content where nothing else does', async () => {
    for (const answer of [undefined, () => {}, () => {
      throw new Error('twice');
    }]) {
      const server = await serve((req, res) => {
        beforeHead(req, res, () => {
          throw new Error('failed');
        }, answer);
        res.setHeader('Content-Type', 'text/html');
        res.setHeader('Content-Length', 4);
        res.setHeader('ETag', '"x"');
        res.end('text');
      });
      const { status, text, headers } = await send(server.port);
      assert.deepEqual([status, text, headers['content-type'], headers.etag], [500, '', undefined, undefined]);
    }
  });

  it('ends an answer that was begun, so that nobody waits for it', async () => {
    const server = await serve((req, res) => {
      beforeHead(req, res, () => {
        throw new Error('failed');
      }, (error, request, response) => void response.writeHead(500).write('begun'));
      res.end('text');
    });
    const { status, text } = await send(server.port);
    assert.deepEqual([status, text], [500, 'begun']);
  });

  it('calls back for what it drops, and takes all of a stream', async () => {
    const called = [];
    const server = await serve((req, res) => {
      beforeHead(req, res, () => {
        throw new Error('failed');
      }, problem);
      assert.equal(res.write('a', () => called.push('write')), true);
      assert.equal(res.write('a', 'utf8', () => called.push('write with encoding')), true);
      pipeline(Readable.from(Array.from({ length: 100 }, () => Buffer.alloc(65_536))), res, (error) => {
        called.push(`pipeline ${error?.code}`);
        assert.equal(res.end('b', () => called.push('end')), res);
        assert.equal(res.writeHead(200), res);
        res.flushHeaders();
      });
    });
    assert.equal((await send(server.port)).text, 'answered: failed');
    await until(() => called.length === 4);
    // As where the client is gone: the answer has ended before the stream.
    assert.deepEqual(called, ['write', 'write with encoding', 'pipeline ERR_STREAM_PREMATURE_CLOSE', 'end']);
  });

  it('throws nothing into a timer or a stream, and the next answer on the connection is whole', async () => {
    const server = await serve((req, res) => {
      if (req.url === '/fails') {
        beforeHead(req, res, () => {
          throw new Error('failed');
        }, problem);
      }
      setImmediate(() => Readable.from(['te', 'xt']).pipe(res));
    });
    const ask = 'GET /fails HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    const answer = await sendRaw(server.port, ask);
    const [first, second] = answer.split(/(?=HTTP\/1\.1 )/);
    assert.match(first, /^HTTP\/1\.1 500 [^]*answered: failed$/);
    // In two chunks, or in one from Node 26 on.
    assert.match(second, /^HTTP\/1\.1 200 OK[^]*te(?:\r\n2\r\n)?xt\r\n0\r\n\r\n$/);
  });

  it('does nothing where the head has been sent, or the client is gone', async () => {
    let steps = 0;
    const server = await serve((req, res) => {
      if (req.url === '/gone') {
        res.on('close', () => {
          beforeHead(req, res, () => steps++);
          res.end('text');
          res.write('more');
          done();
        });
        return;
      }
      res.write('te');
      beforeHead(req, res, () => steps++);
      res.end('xt');
    });
    assert.equal((await send(server.port)).text, 'text');
    let done;
    const gone = new Promise((resolve) => (done = resolve));
    await sendRaw(server.port, 'GET /gone HTTP/1.1\r\nHost: a\r\n\r\n', async (socket) => {
      setTimeout(() => socket.destroy(), 20);
    });
    await gone;
    assert.equal(steps, 1, 'the answer to nobody');
  });

  it('passes on what node:http says of wrong arguments', async () => {
    const headers = [{ 'X\n': '1' }, { 'X-One': 'a\nb' }, ['X-One', 'a\nb'], { 'X-One': undefined }];
    const wrong = [[99], ...headers.map((given) => [200, given])];
    const server = await serve((req, res) => {
      const [, hooked, at] = req.url.split('/');
      if (hooked === 'hooked') beforeHead(req, res, () => res.setHeader('X-Step', 'done'));
      res.setHeader('X-Zero', '0');
      try {
        res.writeHead(...wrong[at]);
      } catch (error) {
        res.end(error.code);
      }
    });
    for (const at of wrong.keys()) {
      const bare = await send(server.port, { path: `/bare/${at}` });
      const hooked = await send(server.port, { path: `/hooked/${at}` });
      assert.match(bare.text, /^ERR_/);
      assert.deepEqual([hooked.status, hooked.text, hooked.headers['x-step']], [200, bare.text, 'done']);
    }
  });

  it('goes through what others have put there before', async () => {
    const seen = [];
    const server = await serve((req, res) => {
      for (const name of ['writeHead', 'write', 'end', 'flushHeaders']) {
        const original = res[name];
        res[name] = function hooked(...given) {
          seen.push(name);
          return original.apply(this, given);
        };
      }
      beforeHead(req, res, () => seen.push('step'));
      res.flushHeaders();
      res.write('te');
      res.end('xt');
    });
    assert.equal((await send(server.port)).text, 'text');
    assert.deepEqual(seen, ['step', 'flushHeaders', 'writeHead', 'write', 'end']);
  });

  it('works over HTTP/2', async () => {
    const server = http2.createServer((req, res) => {
      beforeHead(req, res, () => {
        if (req.url === '/fails') throw new Error('failed');
        res.appendHeader('Set-Cookie', 'ours=1');
      }, problem);
      if (req.url === '/head') res.writeHead(201, { 'X-One': '1' });
      res.end('text');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = http2.connect(`http://127.0.0.1:${server.address().port}`);
    after(() => {
      client.destroy();
      server.close();
    });
    const ask = async (path) => {
      const stream = client.request({ ':path': path });
      const [headers] = await once(stream, 'response');
      let text = '';
      for await (const chunk of stream.setEncoding('utf8')) text += chunk;
      return [headers[':status'], headers['set-cookie'], text];
    };
    assert.deepEqual(await ask('/'), [200, ['ours=1'], 'text']);
    assert.deepEqual(await ask('/head'), [201, ['ours=1'], 'text']);
    assert.deepEqual(await ask('/fails'), [500, undefined, 'answered: failed']);
  });
});
