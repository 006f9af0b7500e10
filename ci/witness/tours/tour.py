"""The official Python SDK as a client of the reference server, in its first or its second generation.

    tour.py 1|2 legacy|auto|2026-07-28 (--http URL | --sse URL | -- COMMAND ARG...)

Runs in the SDK's own environment. Writes one line of JSON for each step: {"step": ...} alone where it went well, with `error` where it
did not, with `none` where this client or revision has nothing of the kind. ../clients.py reads them.
"""

import contextlib
import functools
import json
import sys

import anyio
from mcp import ClientSession, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.shared._httpx_utils import create_mcp_http_client

GENERATION, MODE, KIND, *REST = sys.argv[1:]
IS_FIRST = GENERATION == "1"
MODERN = "2026-07-28"
if IS_FIRST:
    from mcp import types
    from mcp.client.streamable_http import streamablehttp_client
    from mcp.shared.exceptions import McpError as ServerSaysNo
else:
    import mcp_types as types
    from mcp.client import Client
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared.exceptions import MCPError as ServerSaysNo

WATCHED = "test://watched-resource"
PATIENCE = 10


class Told:
    """What the server told without being asked."""

    def __init__(self):
        self.logs, self.updated, self.sent, self.visited, self.news = [], [], [], [], anyio.Event()
        self.lists = 0
        # How often the client came back to a stream that had ended.
        self.resumed = 0

    def hear(self):
        self.news.set()
        self.news = anyio.Event()

    async def until(self, is_there):
        with anyio.move_on_after(PATIENCE) as scope:
            while not is_there():
                await self.news.wait()
        assert not scope.cancelled_caught, f"told so far: {self.logs} {self.updated} {self.visited}"


async def sampled(_, params):
    last = params.messages[-1].content
    content = types.TextContent(type="text", text=f"An answer to: {last.text}")
    return types.CreateMessageResult(role="assistant", content=content, model="a-model")


def filled_in(params):
    schema = params.requestedSchema if IS_FIRST else params.requested_schema
    return {name: field.get("default", field["type"] == "boolean" or f"a {name}") for name, field in schema["properties"].items()}


def id_of(elicitation):
    return elicitation.elicitationId if IS_FIRST else elicitation.elicitation_id


async def roots(_):
    return types.ListRootsResult(roots=[types.Root(uri="file:///one"), types.Root(uri="file:///two", name="Two")])


@contextlib.asynccontextmanager
async def connected(told):
    """The client, and the revision that was agreed on."""

    async def elicited(_, params):
        if params.mode == "url":
            told.sent.append(params)
            return types.ElicitResult(action="accept")
        return types.ElicitResult(action="accept", content=filled_in(params))

    async def logged(params):
        told.logs.append(params)
        told.hear()

    async def heard(message):
        message = getattr(message, "root", message)
        if isinstance(message, types.ResourceUpdatedNotification):
            told.updated.append(str(message.params.uri))
            told.hear()
        elif isinstance(message, types.ToolListChangedNotification):
            told.lists += 1
            told.hear()
        elif isinstance(message, types.ElicitCompleteNotification):
            told.visited.append(id_of(message.params))
            told.hear()

    async def note_return(request):
        told.resumed += "last-event-id" in request.headers

    def http_client(**settings):
        made = create_mcp_http_client(**settings)
        made.event_hooks["request"].append(note_return)
        return made

    handlers = dict(
        sampling_callback=sampled, elicitation_callback=elicited, list_roots_callback=roots, logging_callback=logged, message_handler=heard
    )
    command = StdioServerParameters(command=REST[0], args=REST[1:])
    if IS_FIRST:
        http = functools.partial(streamablehttp_client, httpx_client_factory=http_client)
        transport = {"--http": http, "--sse": sse_client, "--": lambda _: stdio_client(command)}[KIND](REST[0])
        async with transport as streams, ClientSession(streams[0], streams[1], **handlers) as session:
            answer = await session.initialize()
            yield session, answer.protocolVersion
    else:
        http = functools.partial(streamable_http_client, http_client=http_client())
        transport = {"--http": http, "--sse": sse_client, "--": lambda _: stdio_client(command)}[KIND](REST[0])
        async with Client(transport, mode=MODE, **handlers) as client:
            yield client, client.protocol_version


async def every(ask, key):
    """All pages of a list."""
    found, cursor = [], None
    while True:
        page = await (ask(cursor=cursor) if cursor is not None else ask())
        found += getattr(page, key)
        cursor = page.nextCursor if IS_FIRST else page.next_cursor
        if cursor is None:
            return found


async def refused(asking, code):
    try:
        answer = await asking
    except ServerSaysNo as error:
        assert error.error.code == code, f"{error.error.code}: {error.error.message}"
        return error.error
    else:
        raise AssertionError(f"answered: {answer}")


class Tour:
    """The steps, in the order in which they are taken."""

    def __init__(self, client, revision, told):
        self.client, self.revision, self.told = client, revision, told
        self.is_modern = revision == MODERN

    async def text(self, name, arguments=None, **more):
        result = await self.client.call_tool(name, arguments or {}, **more)
        assert not (result.isError if IS_FIRST else result.is_error), result
        return "\n".join(block.text for block in result.content)

    async def tools(self):
        names = [tool.name for tool in await every(self.client.list_tools, "tools")]
        assert len(set(names)) == len(names), names
        assert {"echo", "slow", "test_simple_text", "touch"} <= set(names), names

    async def resources(self):
        uris = {str(resource.uri) for resource in await every(self.client.list_resources, "resources")}
        assert {"test://static-text", "test://static-binary", WATCHED} <= uris, uris

    async def templates(self):
        found = await every(self.client.list_resource_templates, "resourceTemplates" if IS_FIRST else "resource_templates")
        templates = [template.uriTemplate if IS_FIRST else template.uri_template for template in found]
        assert "test://template/{id}/data" in templates, templates

    async def prompts(self):
        names = {prompt.name for prompt in await every(self.client.list_prompts, "prompts")}
        assert {"test_simple_prompt", "test_prompt_with_arguments"} <= names, names

    async def read(self):
        async def read(uri):
            return (await self.client.read_resource(uri)).contents[0]

        assert (await read("test://static-text")).text == "This is the content of the static text resource."
        assert (await read("test://static-binary")).blob.startswith("iVBORw0KGgo")
        assert json.loads((await read("test://template/123/data")).text)["id"] == "123"

    async def read_unknown(self):
        await refused(self.client.read_resource("test://nothing-is-here"), -32602 if self.is_modern else -32002)

    async def get_prompt(self):
        got = await self.client.get_prompt("test_prompt_with_arguments", {"arg1": "hello", "arg2": "wörld"})
        assert got.messages[0].content.text == "Prompt with arguments: arg1='hello', arg2='wörld'"
        image = (await self.client.get_prompt("test_prompt_with_image")).messages[0].content
        assert image.type == "image", image

    async def call(self):
        said = "line one\nline two \U0001f600"
        assert await self.text("echo", {"message": said}) == said
        assert (await self.client.call_tool("test_image_content", {})).content[0].type == "image"
        kinds = [block.type for block in (await self.client.call_tool("test_multiple_content_types", {})).content]
        assert kinds == ["text", "image", "resource"], kinds

    async def call_fails(self):
        result = await self.client.call_tool("test_error_handling", {})
        assert result.isError if IS_FIRST else result.is_error, result

    async def call_unknown(self):
        await refused(self.client.call_tool("no_such_tool", {}), -32602)

    async def structured(self):
        if self.revision in ("2024-11-05", "2025-03-26"):
            return "none"
        result = await self.client.call_tool("word_count", {"text": "one two"})
        structured = result.structuredContent if IS_FIRST else result.structured_content
        assert structured == {"characters": 7, "words": 2}, structured

    async def progress(self):
        seen = []

        async def note(progress, total, message):
            seen.append(progress)
            self.told.hear()

        await self.text("test_tool_with_progress", progress_callback=note)
        await self.told.until(lambda: len(seen) >= 3)
        assert seen == [0, 50, 100], seen

    async def logging(self):
        if self.is_modern:
            await self.text("test_logging_tool", meta={"io.modelcontextprotocol/logLevel": "warning"})
            await self.told.until(lambda: len(self.told.logs) >= 2)
            assert [log.level for log in self.told.logs] == ["warning", "error"], self.told.logs
        else:
            await self.client.set_logging_level("info")
            await self.text("test_tool_with_logging")
            await self.told.until(lambda: len(self.told.logs) >= 3)
            assert self.told.logs[0].data == "Tool execution started", self.told.logs

    async def sampling(self):
        said = await self.text("test_sampling", {"prompt": "Say it."})
        assert said == "LLM response: An answer to: Say it.", said

    async def elicitation(self):
        if self.revision in ("2024-11-05", "2025-03-26"):
            return "none"
        said = await self.text("test_elicitation", {"message": "Who are you?"})
        assert "action=accept" in said and '"a username"' in said, said

    async def roots(self):
        said = await self.text("show_roots")
        assert said in ("2 roots: file:///one, file:///two", "2 roots: file:///one/, file:///two/"), said

    async def visit(self):
        if self.revision not in ("2025-11-25", MODERN):
            return "none"
        assert await self.text("elicit_by_url") == "The user was there."
        asked = self.told.sent[0]
        assert str(asked.url).startswith("https://"), asked
        if self.is_modern:
            return
        await self.told.until(lambda: id_of(asked) in self.told.visited)
        error = await refused(self.client.call_tool("require_url_elicitation", {}), -32042)
        needed = error.data["elicitations"][0]["elicitationId"]
        await self.told.until(lambda: needed in self.told.visited)
        assert await self.text("require_url_elicitation") == "The user was there."

    async def reconnect(self):
        if self.revision != "2025-11-25" or KIND != "--http":
            return "none"
        assert (await self.text("test_reconnection")).startswith("Answered after")
        assert self.told.resumed > 0, "the connection was not closed"

    async def tasks(self):
        if self.revision != "2025-11-25" or not IS_FIRST:
            # The second generation has no calls for these tasks.
            return "none"
        asking = self.client.experimental

        async def begun(name, arguments):
            return (await asking.call_tool_as_task(name, arguments)).task.taskId

        async def ended(task):
            result = await asking.get_task_result(task, types.CallToolResult)
            return (await asking.get_task(task)).status, result.content[0].text

        computed = await begun("slow_compute", {"seconds": 0.1, "label": "pi"})
        assert await ended(computed) == ("completed", "Computed: pi")
        confirmed = await begun("confirm_delete", {"filename": "f"})
        assert await ended(confirmed) == ("completed", "Confirmed: f would be deleted.")
        failed = await begun("failing_job", {})
        assert await ended(failed) == ("failed", "The job failed.")
        given = await begun("slow_compute", {"seconds": 60})
        assert (await asking.get_task(given)).status == "working"
        assert (await asking.cancel_task(given)).status == "cancelled"
        listed = {task.taskId for task in await every(asking.list_tasks, "tasks")}
        assert {computed, confirmed, failed, given} <= listed, listed
        await refused(asking.get_task("no-such-task"), -32602)

    async def rounds(self):
        if not self.is_modern:
            return "none"
        assert "a color" in await self.text("test_input_required_result_multi_round")
        assert "An answer to" in await self.text("test_input_required_result_multiple_inputs")

    async def complete(self):
        ref = types.PromptReference(type="ref/prompt", name="test_prompt_with_arguments")
        completed = await self.client.complete(ref, {"name": "arg1", "value": "par"})
        assert completed.completion.values == ["paris", "park", "party"], completed

    async def subscribe(self):
        if self.is_modern:
            async with self.client.listen(resource_subscriptions=[WATCHED], tools_list_changed=True) as changes:
                await self.text("touch")
                with anyio.fail_after(PATIENCE):
                    change = await anext(aiter(changes))
                assert change.uri == WATCHED, change
                await self.text("test_trigger_tool_change")
                with anyio.fail_after(PATIENCE):
                    change = await anext(aiter(changes))
                assert type(change).__name__ == "ToolsListChanged", change
        else:
            await self.client.subscribe_resource(WATCHED)
            await self.text("touch")
            await self.text("test_trigger_tool_change")
            await self.told.until(lambda: self.told.updated and self.told.lists)
            await self.client.unsubscribe_resource(WATCHED)
            await self.text("touch")
            assert self.told.updated == [WATCHED], self.told.updated

    async def cancel(self):
        if IS_FIRST:
            # A call that is given up is not cancelled by this generation.
            return "none"
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.client.call_tool, "slow", {"ms": 60_000})
            assert await self.text("echo", {"message": "a fence"}) == "a fence"
            tasks.cancel_scope.cancel()
        assert await self.text("echo", {"message": "still here"}) == "still here"

    async def ping(self):
        if self.is_modern:
            return "none"
        await self.client.send_ping()


STEPS = [
    "tools", "resources", "templates", "prompts", "read", "read_unknown", "get_prompt", "call", "call_fails", "call_unknown", "structured",
    "progress", "logging", "sampling", "elicitation", "roots", "visit", "reconnect", "tasks", "rounds", "complete", "subscribe", "cancel",
    "ping",
]


def report(line):
    print(json.dumps(line), flush=True)


async def take(step, act):
    try:
        outcome = await act()
        report({"step": step, "none": True} if outcome else {"step": step})
    except Exception as error:
        report({"step": step, "error": f"{type(error).__name__}: {error}"})


async def main():
    told = Told()
    async with connected(told) as (client, revision):
        report({"step": "connect"})
        report({"revision": revision})
        tour = Tour(client, revision, told)
        for step in STEPS:
            await take(step.replace("_", "-"), getattr(tour, step))
    report({"step": "close"})


anyio.run(main)
