// Makes a picture of few colours small: a PNG as browsers write it (8 bits, RGB or RGBA, not interlaced) becomes one with a
// palette of 256 (W3C PNG, section 11.2). For screenshots of pages, whose colours are few but for the edges of letters.

import zlib from 'node:zlib';

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

/**
 * @param {Buffer} png
 * @returns {Buffer}
 */
export function withPalette(png) {
  const { width, height, colours } = decode(png);
  const palette = mostUsed(colours, 256);
  const nearest = new Map();
  const rows = Buffer.alloc(height * (width + 1)); // each begins with its filter: none
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const colour = colours[row * width + column];
      let index = nearest.get(colour);
      if (index === undefined) nearest.set(colour, index = nearestIn(palette, colour));
      rows[row * (width + 1) + column + 1] = index;
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3], 8); // 8 bits, indexed
  const entries = Buffer.from(palette.flatMap(parts));
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), chunk('PLTE', entries),
    chunk('IDAT', zlib.deflateSync(rows, { level: 9, memLevel: 9 })), chunk('IEND', Buffer.alloc(0))]);
}

/** @param {Buffer} png */
function decode(png) {
  const data = [];
  let header = Buffer.alloc(0);
  for (let at = SIGNATURE.length; at < png.length; at += 12 + png.readUInt32BE(at)) {
    const content = png.subarray(at + 8, at + 8 + png.readUInt32BE(at));
    const type = png.toString('latin1', at + 4, at + 8);
    if (type === 'IHDR') header = content;
    if (type === 'IDAT') data.push(content);
  }
  const [bits, kind, , , interlaced] = header.subarray(8);
  if (bits !== 8 || (kind !== 2 && kind !== 6) || interlaced !== 0) throw new Error('not a PNG as browsers write it');
  const [width, height, size] = [header.readUInt32BE(0), header.readUInt32BE(4), kind === 2 ? 3 : 4];
  const pixels = unfilter(zlib.inflateSync(Buffer.concat(data)), width * size, height, size);
  const colours = Array.from({ length: width * height }, (_, index) => pixels.readUIntBE(index * size, 3));
  return { width, height, colours };
}

/**
 * Section 9.2.
 * @param {Buffer} data
 * @param {number} stride
 * @param {number} height
 * @param {number} size bytes of a pixel
 */
function unfilter(data, stride, height, size) {
  const out = Buffer.alloc(stride * height);
  for (let row = 0; row < height; row++) {
    const filter = data[row * (stride + 1)];
    for (let column = 0; column < stride; column++) {
      const at = row * stride + column;
      const left = column >= size ? out[at - size] : 0;
      const up = row > 0 ? out[at - stride] : 0;
      const corner = column >= size && row > 0 ? out[at - stride - size] : 0;
      const predicted = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      out[at] = data[row * (stride + 1) + column + 1] + predicted;
    }
  }
  return out;
}

/** @type {(left: number, up: number, corner: number) => number} */
function paeth(left, up, corner) {
  const estimate = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(estimate - value));
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

/**
 * @param {number[]} colours
 * @param {number} limit
 */
function mostUsed(colours, limit) {
  const counts = new Map();
  for (const colour of colours) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).slice(0, limit).map(([colour]) => colour);
}

/**
 * @param {number[]} palette
 * @param {number} colour
 */
function nearestIn(palette, colour) {
  const [red, green, blue] = parts(colour);
  const distances = palette.map((entry) => {
    const [r, g, b] = parts(entry);
    return (r - red) ** 2 + (g - green) ** 2 + (b - blue) ** 2;
  });
  return distances.indexOf(Math.min(...distances));
}

/** @param {number} colour */
function parts(colour) {
  return [colour >> 16, (colour >> 8) & 255, colour & 255];
}

/**
 * @param {string} type
 * @param {Buffer} content
 */
function chunk(type, content) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(content.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/**
 * Annex D.
 * @param {Buffer} data
 */
function crc32(data) {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
