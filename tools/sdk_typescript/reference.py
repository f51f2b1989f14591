"""docs/reference/sdk-typescript.md"""

from __future__ import annotations

from tools.sdk_typescript.document import Unfit, camel
from tools.sdk_typescript.resources import Resources

HEAD = """# `@novavms/sdk`: every method

Made by `make sdk` from `sdk/openapi.json`. How to begin, errors, paging and retries: [sdk/typescript](../../sdk/typescript/README.md).

In the examples `novavms` is what `createClient` made. Every method takes as its last argument `{ signal, timeout, maxRetries, idempotencyKey, ifMatch }`,
all of them optional; `cameras.create`, `update` and `test` take `onStage`, too, which is told each stage of the camera's check as it passes. A `PagePromise` is awaited for a page and iterated for all items; every other result has `withResponse()`.
"""
BY_HAND = {
    "cameras": [
        (
            "watchLive(id, params?: WatchLiveParams, options?: WatchLiveOptions): LiveWatch",
            "Live video for a SourceBuffer, by a WebSocket: iterate it, `setTier` while it runs. A lost connection is made anew. Needs a browser, or Node 22 or later.",
            "for await (const item of novavms.cameras.watchLive(id, { tier: 'sub' })) console.log(item.kind);",
        ),
        (
            "watchWebRtc(id, params?: WatchLiveParams, options?: WatchWebRtcOptions): WebRtcWatch",
            "Live video over WebRTC, in a browser: iterate it. `stream` has a MediaStream, `connected` and `waiting` say how the connection is, `end` says why it is over. Nothing is tried again by itself; `latency()` where the browser knows it.",
            "for await (const item of novavms.cameras.watchWebRtc(id)) console.log(item.kind);",
        ),
        (
            "waitUntil(id, status = 'online', options?: WaitOptions): Promise<CameraDetail>",
            "Waits until the camera is in this state. CameraStateError where it goes to `error` or `disabled` instead; WaitTimeoutError after `timeout` milliseconds, 60,000 by default.",
            "const camera = await novavms.cameras.waitUntil(id, 'online', { timeout: 30_000 });",
        ),
    ],
    "events": [
        (
            "waitForClip(id, options?: WaitOptions): Promise<ReadyClip>",
            "Waits until the clip can be played. ClipFailedError where it came to nothing.",
            "const clip = await novavms.events.waitForClip(id, { timeout: 120_000 });\nawait clip.download('clip.mp4');",
        ),
        (
            "downloadClip(id, target: string | WritableStream, options?: DownloadOptions): Promise<void>",
            "Writes the MP4 to a path (Node) or a stream. Goes on where a connection broke off; under the path there is never half a clip.",
            "await novavms.events.downloadClip(id, 'clip.mp4', {\n  onProgress: ({ receivedBytes, totalBytes }) => console.log(receivedBytes, totalBytes),\n});",
        ),
        (
            "downloadSnapshot(id, target: string | WritableStream, options?: DownloadOptions): Promise<void>",
            "Writes the event's JPEG to a path (Node) or a stream.",
            "await novavms.events.downloadSnapshot(id, 'event.jpg');",
        ),
    ],
    "exports": [
        (
            "waitUntilReady(id, options?: ExportWaitOptions): Promise<Export>",
            "Waits until the export is ready, 600,000 milliseconds by default. ExportFailedError where it came to nothing.",
            "await novavms.exports.waitUntilReady(id, { onProgress: (item) => console.log(item.status) });",
        ),
        (
            "download(id, target: string | WritableStream, options?: DownloadOptions): Promise<void>",
            "Writes the export's file to a path (Node) or a stream. Goes on where a connection broke off, and compares size and SHA-256.",
            "await novavms.exports.download(id, 'evidence.zip');",
        ),
    ],
    "stream": [
        (
            "events(params?: StreamParams, options?: StreamOptions): AsyncGenerator<StreamItem>",
            "Events as they happen. A lost connection is made anew, and what happened meanwhile follows. An item of type `reset` says that this was not possible: read your lists anew.",
            "for await (const item of novavms.stream.events({ types: ['camera_status'] })) console.log(item.type, item.data);",
        )
    ],
    "webhooks": [
        (
            "verifySignature(payload, { secret, headers }): Promise<void>",
            "Throws WebhookSignatureError unless the signature is that of this body and its time is near. Can be imported by itself.",
            "await novavms.webhooks.verifySignature(body, { secret, headers });",
        )
    ],
}
"""What is written by hand: signature, words, example."""


def reference(resources: Resources) -> str:
    text = HEAD
    for resource in resources.names:
        name = ".".join(camel(part) for part in resource.split("."))
        text += f"\n## `novavms.{name}`\n\n{resources.words(resource)}\n"
        for op in resources.operations(resource):
            kind, optional = resources.parameters(op)
            arguments = [f"{camel(item)}: string" for item in resources.path_arguments(op)]
            if kind:
                arguments.append(f"params{'?' if optional else ''}: {kind}")
            answer = resources.answer(op)
            words = " ".join(
                resources.types.words(part) for part in (f"{op.summary}.", op.description) if part
            ).replace("\n", " ")
            role = (
                "" if op.open else f" Needs the role {op.role}{'' if op.role == 'owner' else ' or higher'}."
            )
            text += f"\n### `{name}.{camel(op.name)}({', '.join(arguments)}): {answer}`\n\n"
            text += f"{words}{role} (`{op.method} {op.path.replace('{}', '…')}`)\n\n```ts\n{resources.example(op)}\n```\n"
        for signature, words, example in BY_HAND.get(resource, []):
            text += f"\n### `{name}.{signature}`\n\n{words}\n\n```ts\n{example}\n```\n"
    return text


BEGIN, END = "<!-- methods: made by make sdk -->", "<!-- end of methods -->"


def with_table(readme: str, resources: Resources) -> str:
    """The README with its table of methods as it is now."""
    before, _, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise Unfit(f"sdk/typescript/README.md has no place for its table of methods: {BEGIN} … {END}")
    rows = ["| resource | methods |", "|---|---|"]
    for resource in resources.names:
        made = [camel(op.name) for op in resources.operations(resource)]
        by_hand = [signature.partition("(")[0] for signature, _, _ in BY_HAND.get(resource, [])]
        name = ".".join(camel(part) for part in resource.split("."))
        rows.append(f"| `{name}` | {' '.join(f'`{method}`' for method in [*made, *by_hand])} |")
    return f"{before}{BEGIN}\n" + "\n".join(rows) + f"\n{END}{after}"
