// SPDX-License-Identifier: Apache-2.0
// A server that speaks CouchDB's protocol, over LevelDB, which does not sync. Usage: node pouch.mjs PORT DIR
import { createRequire } from 'node:module';

const require = createRequire(`${process.cwd()}/`);
const express = require('express');
const PouchDB = require('pouchdb').defaults({ prefix: `${process.argv[3]}/` });
const app = express();
app.use('/', require('express-pouchdb')(PouchDB, { mode: 'minimumForPouchDB', inMemoryConfig: true, logPath: `${process.argv[3]}/log` }));
app.listen(Number(process.argv[2]), '127.0.0.1', () => console.log('ready'));
