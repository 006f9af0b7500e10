// The official TypeScript SDK as a client of the reference server, in its first or its second generation.
//
//   tour.mjs ROOT 1|2 legacy|auto|2026-07-28 (--http URL | --sse URL | -- COMMAND ARG...)
//
// ROOT is the folder that holds the SDK's node_modules. Writes one line of JSON for each step: {"step": ...} alone where it went well,
// with `error` where it did not, with `none` where this client or revision has nothing of the kind. ../clients.py reads them.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const MODERN = '2026-07-28';
const [root, generation, mode, kind, ...rest] = process.argv.slice(2);
const isFirst = generation === '1';
const resolve = createRequire(pathToFileURL(`${root}/package.json`)).resolve;
const load = (name) => import(pathToFileURL(resolve(name)).href);
const sdk = isFirst
  ? Object.assign({}, ...(await Promise.all(
      ['client/index.js', 'client/sse.js', 'client/stdio.js', 'client/streamableHttp.js', 'types.js'].map((part) => load(`@modelcontextprotocol/sdk/${part}`)))))
  : Object.assign({}, ...(await Promise.all(['@modelcontextprotocol/client', '@modelcontextprotocol/client/stdio'].map(load))));

const capabilities = { sampling: {}, elicitation: { form: {}, url: {} }, roots: { listChanged: true } };
const negotiation = isFirst ? {} : { versionNegotiation: { mode: mode === MODERN ? { pin: mode } : mode } };
const client = new sdk.Client({ name: 'witness', version: '1.0.0' }, { capabilities, ...negotiation });
const told = { logs: [], updated: [], lists: 0, sent: [], visited: [], statuses: [] };
let news = () => {};

// What the second generation knows by the name of a method, the first knows by a schema.
const schemas = {
  'elicitation/create': 'ElicitRequestSchema',
  'notifications/elicitation/complete': 'ElicitationCompleteNotificationSchema',
  'notifications/message': 'LoggingMessageNotificationSchema',
  'notifications/resources/updated': 'ResourceUpdatedNotificationSchema',
  'notifications/tasks/status': 'TaskStatusNotificationSchema',
  'notifications/tools/list_changed': 'ToolListChangedNotificationSchema',
  'roots/list': 'ListRootsRequestSchema',
  'sampling/createMessage': 'CreateMessageRequestSchema',
};
const named = (method) => (isFirst ? sdk[schemas[method]] : method);
const answer = (method, handler) => client.setRequestHandler(named(method), handler);
const hear = (method, note) => client.setNotificationHandler(named(method), (message) => {
  note(message.params);
  news();
});
answer('sampling/createMessage', async ({ params }) => ({
  role: 'assistant',
  model: 'a-model',
  stopReason: 'endTurn',
  content: { type: 'text', text: `An answer to: ${params.messages.at(-1).content.text}` },
}));
const filledIn = (name, field) => field.default ?? (field.type === 'boolean' ? true : `a ${name}`);
answer('elicitation/create', async ({ params }) => {
  if (params.mode === 'url') {
    told.sent.push(params);
    return { action: 'accept' };
  }
  const fields = Object.entries(params.requestedSchema.properties);
  return { action: 'accept', content: Object.fromEntries(fields.map(([name, field]) => [name, filledIn(name, field)])) };
});
answer('roots/list', async () => ({ roots: [{ uri: 'file:///one' }, { uri: 'file:///two', name: 'Two' }] }));
hear('notifications/elicitation/complete', (params) => told.visited.push(params.elicitationId));
hear('notifications/message', (params) => told.logs.push(params));
hear('notifications/resources/updated', (params) => told.updated.push(params.uri));
if (isFirst) hear('notifications/tasks/status', (params) => told.statuses.push(`${params.taskId} ${params.status}`));
hear('notifications/tools/list_changed', () => (told.lists += 1));

// Until something that was told is there; what is told too late is not waited for.
const until = (isThere) => new Promise((done, fail) => {
  const late = setTimeout(() => fail(new Error(`told so far: ${JSON.stringify(told)}`)), 10_000);
  news = () => {
    if (!isThere()) return;
    clearTimeout(late);
    done();
  };
  news();
});
const call = (name, args = {}, options, meta) => {
  const params = { name, arguments: args, ...(meta && { _meta: meta }) };
  return isFirst ? client.callTool(params, undefined, options) : client.callTool(params, options);
};
const text = async (...of) => {
  const result = await call(...of);
  assert.ok(!result.isError, JSON.stringify(result));
  return result.content.map((block) => block.text).join('\n');
};
const all = async (list, key) => {
  const found = [];
  let cursor;
  do {
    const page = await list(cursor === undefined ? undefined : { cursor });
    found.push(...page[key]);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return found;
};
const refused = async (promise, ...codes) => {
  const error = await promise.then((result) => assert.fail(JSON.stringify(result)), (error) => error);
  assert.ok(codes.includes(error.code), `${error.code}: ${error.message}`);
  return error;
};
// How often the client came back to a stream that had ended.
let resumed = 0;
const fetching = (url, init) => {
  if (new Headers(init?.headers).has('last-event-id')) resumed += 1;
  return fetch(url, init);
};

const report = (line) => console.log(JSON.stringify(line));
const none = Symbol('none');
const step = async (name, take) => {
  try {
    const outcome = await take();
    report(outcome === none ? { step: name, none: true } : { step: name });
  } catch (error) {
    report({ step: name, error: `${error.code ?? ''} ${error.message}`.trim() });
  }
};

const WATCHED = 'test://watched-resource';
let revision;
let isModern = false;
await step('connect', async () => {
  const transport = {
    '--http': () => new sdk.StreamableHTTPClientTransport(new URL(rest[0]), { fetch: fetching }),
    '--sse': () => new sdk.SSEClientTransport(new URL(rest[0])),
    '--': () => new sdk.StdioClientTransport({ command: rest[0], args: rest.slice(1) }),
  }[kind]();
  // The first generation tells the revision to its transport, and nobody else.
  const agreed = transport.setProtocolVersion?.bind(transport);
  transport.setProtocolVersion = (version) => {
    revision = version;
    agreed?.(version);
  };
  await client.connect(transport);
  revision = client.getNegotiatedProtocolVersion?.() ?? revision;
  isModern = revision === MODERN;
  assert.ok(client.getServerVersion()?.name);
  assert.ok(client.getServerCapabilities().tools);
});
report({ revision: revision ?? null });
await step('tools', async () => {
  const tools = await all((params) => client.listTools(params), 'tools');
  const names = tools.map((tool) => tool.name);
  assert.equal(new Set(names).size, names.length);
  for (const name of ['echo', 'slow', 'test_simple_text', 'touch']) assert.ok(names.includes(name), `${names}`);
});
await step('resources', async () => {
  const uris = (await all((params) => client.listResources(params), 'resources')).map((resource) => resource.uri);
  for (const uri of ['test://static-text', 'test://static-binary', WATCHED]) assert.ok(uris.includes(uri), `${uris}`);
});
await step('templates', async () => {
  const templates = await all((params) => client.listResourceTemplates(params), 'resourceTemplates');
  assert.ok(templates.some((template) => template.uriTemplate === 'test://template/{id}/data'));
});
await step('prompts', async () => {
  const names = (await all((params) => client.listPrompts(params), 'prompts')).map((prompt) => prompt.name);
  for (const name of ['test_simple_prompt', 'test_prompt_with_arguments']) assert.ok(names.includes(name), `${names}`);
});
await step('read', async () => {
  const read = async (uri) => (await client.readResource({ uri })).contents[0];
  assert.equal((await read('test://static-text')).text, 'This is the content of the static text resource.');
  assert.ok((await read('test://static-binary')).blob.startsWith('iVBORw0KGgo'));
  assert.equal(JSON.parse((await read('test://template/123/data')).text).id, '123');
});
await step('read-unknown', () => refused(client.readResource({ uri: 'test://nothing-is-here' }), isModern ? -32602 : -32002));
await step('get-prompt', async () => {
  const got = await client.getPrompt({ name: 'test_prompt_with_arguments', arguments: { arg1: 'hello', arg2: 'wörld' } });
  assert.equal(got.messages[0].content.text, "Prompt with arguments: arg1='hello', arg2='wörld'");
  assert.equal((await client.getPrompt({ name: 'test_prompt_with_image' })).messages[0].content.mimeType, 'image/png');
});
await step('call', async () => {
  assert.equal(await text('echo', { message: 'line one\nline two \u{1f600}' }), 'line one\nline two \u{1f600}');
  assert.equal((await call('test_image_content')).content[0].mimeType, 'image/png');
  const kinds = (await call('test_multiple_content_types')).content.map((block) => block.type);
  assert.deepEqual(kinds, ['text', 'image', 'resource']);
});
await step('call-fails', async () => assert.equal((await call('test_error_handling')).isError, true));
await step('call-unknown', () => refused(call('no_such_tool'), -32602));
await step('structured', async () => {
  if (['2024-11-05', '2025-03-26'].includes(revision)) return none;
  assert.deepEqual((await call('word_count', { text: 'one two' })).structuredContent, { characters: 7, words: 2 });
});
await step('progress', async () => {
  const seen = [];
  await call('test_tool_with_progress', {}, { onprogress: ({ progress }) => seen.push(progress) });
  // This client forgets whom to tell as the answer arrives, and so loses what arrived with it.
  assert.deepEqual(seen, [0, 50, 100].slice(0, Math.max(seen.length, 2)));
});
await step('logging', async () => {
  if (isModern) {
    await text('test_logging_tool', {}, undefined, { 'io.modelcontextprotocol/logLevel': 'warning' });
    await until(() => told.logs.length >= 2);
    assert.deepEqual(told.logs.map((log) => log.level), ['warning', 'error']);
  } else {
    await client.setLoggingLevel('info');
    await text('test_tool_with_logging');
    await until(() => told.logs.length >= 3);
    assert.equal(told.logs[0].data, 'Tool execution started');
  }
});
await step('sampling', async () => assert.equal(await text('test_sampling', { prompt: 'Say it.' }), 'LLM response: An answer to: Say it.'));
await step('elicitation', async () => {
  if (['2024-11-05', '2025-03-26'].includes(revision)) return none;
  assert.match(await text('test_elicitation', { message: 'Who are you?' }), /action=accept.*"a username"/);
});
await step('roots', async () => assert.equal(await text('show_roots'), '2 roots: file:///one, file:///two'));
await step('visit', async () => {
  if (!['2025-11-25', MODERN].includes(revision)) return none;
  assert.equal(await text('elicit_by_url'), 'The user was there.');
  const [{ url, elicitationId }] = told.sent;
  assert.ok(url.startsWith('https://'), url);
  if (isModern) return;
  await until(() => told.visited.includes(elicitationId));
  const { elicitations } = await refused(call('require_url_elicitation'), -32042);
  await until(() => told.visited.includes(elicitations[0].elicitationId));
  assert.equal(await text('require_url_elicitation'), 'The user was there.');
});
await step('reconnect', async () => {
  if (revision !== '2025-11-25' || kind !== '--http') return none;
  assert.match(await text('test_reconnection'), /^Answered after/);
  assert.ok(resumed > 0, 'the connection was not closed');
});
await step('tasks', async () => {
  // The second generation has types of these tasks, and no calls.
  if (revision !== '2025-11-25' || !isFirst) return none;
  const { tasks } = client.experimental;
  const ended = async (name, args, onCreated = () => {}) => {
    const told = [];
    for await (const message of tasks.callToolStream({ name, arguments: args }, undefined, { task: { ttl: 60_000 } })) {
      told.push(message);
      if (message.type === 'taskCreated') await onCreated(message.task.taskId);
    }
    assert.equal(told[0].type, 'taskCreated', JSON.stringify(told));
    return [told[0].task.taskId, told.at(-1)];
  };
  const [computed, computation] = await ended('slow_compute', { seconds: 0.1, label: 'pi' });
  assert.equal(computation.result.content[0].text, 'Computed: pi');
  assert.equal((await tasks.getTask(computed)).status, 'completed');
  await until(() => told.statuses.includes(`${computed} completed`));
  const [, confirmed] = await ended('confirm_delete', { filename: 'f' });
  assert.equal(confirmed.result.content[0].text, 'Confirmed: f would be deleted.');
  const [failed, failure] = await ended('failing_job', {});
  assert.equal(failure.type, 'error', JSON.stringify(failure));
  assert.equal((await tasks.getTask(failed)).status, 'failed');
  const [given] = await ended('slow_compute', { seconds: 60 }, async (task) => assert.equal((await tasks.cancelTask(task)).status, 'cancelled'));
  const listed = (await all((params) => tasks.listTasks(params?.cursor), 'tasks')).map((task) => task.taskId);
  for (const task of [computed, failed, given]) assert.ok(listed.includes(task), `${listed}`);
  await refused(tasks.getTask('no-such-task'), -32602);
});
await step('rounds', async () => {
  if (!isModern) return none;
  assert.match(await text('test_input_required_result_multi_round'), /a color/);
  assert.match(await text('test_input_required_result_multiple_inputs'), /An answer to/);
});
await step('complete', async () => {
  const { completion } = await client.complete({
    ref: { type: 'ref/prompt', name: 'test_prompt_with_arguments' },
    argument: { name: 'arg1', value: 'par' },
  });
  assert.deepEqual(completion.values, ['paris', 'park', 'party']);
});
await step('subscribe', async () => {
  if (isModern) {
    const subscription = await client.listen({ resourceSubscriptions: [WATCHED], toolsListChanged: true });
    assert.deepEqual(subscription.honoredFilter, { resourceSubscriptions: [WATCHED], toolsListChanged: true });
    await text('touch');
    await text('test_trigger_tool_change');
    await until(() => told.updated.length >= 1 && told.lists >= 1);
    await subscription.close();
    assert.equal(await subscription.closed, 'local');
  } else {
    await client.subscribeResource({ uri: WATCHED });
    await text('touch');
    await text('test_trigger_tool_change');
    await until(() => told.updated.length >= 1 && told.lists >= 1);
    await client.unsubscribeResource({ uri: WATCHED });
    await text('touch');
  }
  assert.deepEqual(told.updated, [WATCHED]);
});
await step('cancel', async () => {
  const wanted = new AbortController();
  const slow = call('slow', { ms: 60_000 }, { signal: wanted.signal }).then(() => assert.fail('answered'), () => {});
  assert.equal(await text('echo', { message: 'a fence' }), 'a fence');
  wanted.abort();
  await slow;
  assert.equal(await text('echo', { message: 'still here' }), 'still here');
});
await step('ping', async () => {
  if (isModern) return none;
  await client.ping();
});
await step('close', () => client.close());
