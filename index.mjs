// The ESM entry: re-exports what index.js exports, so that `import` and `require` in one process share every class.
import holdfast from './index.js';

export const {
  AesGcmKey,
  HoldfastError,
  HoldfastStore,
  HoldfastThrottlerStorage,
  JsonError,
  JsonGuard,
  Keyring,
  PasswordHasher,
  RateLimiter,
  SafeRegExp,
  SafeRegExpSet,
  aesGcmDecrypt,
  aesGcmEncrypt,
  calibrate,
  createKeyring,
  createMerge,
  deriveKey,
  generateKey,
  hashPassword,
  ipKey,
  keyFromPassphrase,
  loadKeyring,
  merge,
  mergeJson,
  parseHash,
  parseJson,
  parseQuery,
  rotateKeyring,
  sanitize,
  scanJson,
  tryParseJson,
  verifyPassword,
} = holdfast;

export default holdfast;
