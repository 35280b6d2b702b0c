// Express as it comes, and its parser of JSON. It has no sessions, and knows who asks without looking.
import express from 'express';
import { addRoutes, answerErrors, USER } from './routes.mjs';

export function makeApp() {
  const app = express();
  app.use(express.json({ limit: '10kb' }));
  return answerErrors(addRoutes(app, { userOf: () => USER }));
}
