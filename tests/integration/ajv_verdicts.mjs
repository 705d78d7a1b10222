// What ajv, in strict mode, says of documents: `node ajv_verdicts.mjs SCHEMA NODE_MODULES` with a JSON list of
// documents on standard input prints a JSON list of booleans.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [schema, packages] = process.argv.slice(2);
const Ajv = createRequire(join(packages, 'ajv/package.json'))('ajv');

const ajv = new Ajv({ strict: true });
// What editors read beside JSON Schema. The public catalogue knows all of them but the last three.
ajv.addVocabulary([
  'defaultSnippets',
  'markdownDescription',
  'markdownEnumDescriptions',
  'doNotSuggest',
  'errorMessage',
  'patternErrorMessage',
]);
const validate = ajv.compile(JSON.parse(readFileSync(schema, 'utf8')));
const documents = JSON.parse(readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(documents.map((document) => validate(document))));
