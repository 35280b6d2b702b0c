import * as nestjs from './nestjs.js';

export * from './nestjs.js';
export default nestjs;
