"""The resources: classes with one method for each operation."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tools.sdk_typescript.document import Document, Op, Unfit, camel, pascal
from tools.sdk_typescript.surface import EXTENDED, WORDS
from tools.sdk_typescript.types import BESIDE, HEAD, Types, shape, shape_text

SOURCE = Path(__file__).resolve().parent.parent.parent / "sdk" / "typescript" / "src"


class Resources:
    def __init__(self, document: Document, types: Types) -> None:
        self.document = document
        self.types = types
        found = {op.resource for op in document.operations} | EXTENDED.keys()
        self.names = sorted(found | {name.rsplit(".", 1)[0] for name in found})
        for name in self.names:
            self.words(name)
            self._check_hand(name)

    def words(self, resource: str) -> str:
        """A sentence about it."""
        tags = [op.tag for op in self.operations(resource)]
        found = WORDS.get(resource) or (self.document.tags.get(tags[0], "") if tags else "")
        if not found:
            raise Unfit(f"no sentence for {resource}: add one to WORDS in tools/sdk_typescript/surface.py")
        return found

    def _check_hand(self, resource: str) -> None:
        """What is written by hand rests on what is made."""
        if resource in EXTENDED and self.operations(resource):
            text = (SOURCE / f"resources/{resource.replace('_', '-')}.ts").read_text()
            if f"extends {self.class_name(resource)}" not in text:
                raise Unfit(
                    f"class {EXTENDED[resource]} has operations now: let it extend {self.class_name(resource)}"
                )

    def operations(self, resource: str) -> list[Op]:
        return [op for op in self.document.operations if op.resource == resource]

    def nested(self, resource: str) -> list[str]:
        return [name for name in self.names if name.rpartition(".")[0] == resource]

    def files(self) -> dict[str, str]:
        """Every generated module by its file's name."""
        made = {
            f"{name.replace('_', '-')}.ts": self._module(name)
            for name in self.names
            if "." not in name and self._made(name)
        }
        return made | {
            "types.ts": self.types.file() + "\n" + self._parameters(),
            "shapes.ts": self._shapes(),
            "api.ts": self._api(),
        }

    def _made(self, resource: str) -> bool:
        return bool(self.operations(resource) or self.nested(resource))

    # ---- one resource ----------------------------------------------------------------------------------------

    def _module(self, resource: str) -> str:
        family = [*self.nested(resource), resource]
        operations = [op for name in family for op in self.operations(name)]
        used = sorted({name for op in operations for name in self._mentioned(op)})
        text = HEAD + "import type { Operation } from '../operation.js';\n"
        text += "import type { RequestOptions } from '../options.js';\n"
        kinds = [
            kind
            for kind in ("ApiPromise", "PagePromise")
            if any(kind in self.answer(op) for op in operations)
        ]
        text += f"import type {{ {', '.join(kinds)} }} from '../promise.js';\n"
        text += "import { Resource } from '../resource.js';\n"
        if self.nested(resource):
            text += "import type { Transport } from '../transport.js';\n"
        text += f"import type {{ {', '.join(used)} }} from './types.js';\n" if used else ""
        text += "".join("\n" + self._operation(op) for op in operations)
        return text + "".join("\n" + self._class(name) for name in family)

    def class_name(self, resource: str) -> str:
        return pascal(resource) + ("Operations" if resource in EXTENDED else "Resource")

    def _class(self, resource: str) -> str:
        text = (
            f"/** {self.words(resource)} */\nexport class {self.class_name(resource)} extends Resource {{\n"
        )
        nested = self.nested(resource)
        for name in nested:
            text += f"  /** {self.words(name)} */\n  readonly {camel(name.rsplit('.', 1)[1])}: {self.class_name(name)};\n"
        if nested:
            text += "\n  /** Made by the client. */\n  constructor(transport: Transport) {\n    super(transport);\n"
            text += "".join(
                f"    this.{camel(name.rsplit('.', 1)[1])} = new {self.class_name(name)}(transport);\n"
                for name in nested
            )
            text += "  }\n\n"
        return text + "\n".join(self._method(op) for op in self.operations(resource)) + "}\n"

    def _operation(self, op: Op) -> str:
        fields: list[str] = [f"id: '{op.id}'", f"method: '{op.method}'", f"path: '{op.path}'"]
        if op.query:
            fields.append(f"query: {json.dumps([item.name for item in op.query])}".replace('"', "'"))
        if op.body:
            fields.append("hasBody: true")
        for name, schema in (("input", op.body), ("output", op.answer)):
            found = shape(self.document, {"$ref": schema}) if schema else None
            if found is not None:
                fields.append(f"{name}: {shape_text(found)}")
        fields += ["keyed: true"] * op.keyed + ["open: true"] * op.open + [f"reply: '{op.reply}'"]
        return f"const {op.id}: Operation = {{\n" + "".join(f"  {item},\n" for item in fields) + "};\n"

    def _method(self, op: Op) -> str:
        arguments = [f"{camel(name)}: string" for name in self.path_arguments(op)]
        given = ", ".join(camel(name) for name in self.path_arguments(op))
        kind, optional = self.parameters(op)
        if kind:
            arguments.append(f"params{'?' if optional else ''}: {kind}")
        arguments.append("options?: RequestOptions")
        run = "pages" if self.document.page_of(op.answer) else "call"
        body = f"this.{run}({op.id}, [{given}], {'params' if kind else 'undefined'}, options)"
        return f"{self._comment(op)}  {camel(op.name)}({', '.join(arguments)}): {self.answer(op)} {{\n    return {body};\n  }}\n"

    def _comment(self, op: Op) -> str:
        lines = [f"{self.types.words(op.summary)}.".replace("..", ".")]
        if op.description:
            lines += ["", *self.types.words(op.description).split("\n")]
        if op.role and not op.open:
            lines += ["", f"Needs the role {op.role}{'' if op.role == 'owner' else ' or higher'}."]
        lines += ["", "@example", "```ts", *self.example(op).split("\n"), "```"]
        return "  /**\n" + "".join(f"   * {line}".rstrip() + "\n" for line in lines) + "   */\n"

    # ---- its parts -------------------------------------------------------------------------------------------

    def path_arguments(self, op: Op) -> list[str]:
        """`id` for the object itself; with more than one, as the document calls them."""
        return ["id"] if len(op.path_parameters) == 1 else list(op.path_parameters)

    def parameters(self, op: Op) -> tuple[str, bool]:
        """The type of the method's object of parameters, and whether it may be left out."""
        query = f"{pascal(op.id)}Params" if op.query else ""
        kind = " & ".join(part for part in (op.body or "", query) if part)
        needed = any(item.required for item in op.query)
        if op.body and op.body_required:
            needed = needed or bool(self.document.schemas[op.body].get("required")) or op.method == "PATCH"
        return kind, not needed

    def answer(self, op: Op) -> str:
        item = self.document.page_of(op.answer)
        if item:
            return f"PagePromise<{item}>"
        return f"ApiPromise<{op.answer or {'none': 'void', 'bytes': 'Blob', 'link': 'string'}[op.reply]}>"

    def _mentioned(self, op: Op) -> Iterable[str]:
        yield from (part for part in self.parameters(op)[0].split(" & ") if part)
        answer = self.document.page_of(op.answer) or op.answer
        if answer:
            yield answer

    def example(self, op: Op) -> str:
        """A call, with the document's example as its parameters."""
        arguments = [camel(name) for name in self.path_arguments(op)]
        kind, optional = self.parameters(op)
        if op.body and op.request_example is not None:
            arguments.append(literal(op.request_example))
        elif kind and not optional:
            raise Unfit(f"{op.id} has no example of its body")
        called = f"novavms.{'.'.join(camel(part) for part in op.resource.split('.'))}.{camel(op.name)}({', '.join(arguments)})"
        item = self.document.page_of(op.answer)
        if item:
            return f"for await (const item of {called}) console.log(item);"
        result = {"json": "const answer = ", "bytes": "const jpeg = ", "link": "const url = ", "none": ""}[
            op.reply
        ]
        return f"{result}await {called};"

    # ---- what is made once -----------------------------------------------------------------------------------

    def _parameters(self) -> str:
        made = [
            self.types.parameters(f"{pascal(op.id)}Params", op.query, op)
            for op in self.document.operations
            if op.query
        ]
        return "\n".join(made)

    def _shapes(self) -> str:
        text = (
            HEAD
            + "import type { Shape } from '../casing.js';\n\n/** Of what comes outside of answers. */\nexport const shapes = {\n"
        )
        for name in BESIDE:
            text += f"  {name}: {shape_text(shape(self.document, {'$ref': name}) or {})},\n"
        return text + "} satisfies Record<string, Shape>;\n"

    def _api(self) -> str:
        top = [name for name in self.names if "." not in name]
        text = HEAD
        kinds = {name: EXTENDED.get(name, self.class_name(name)) for name in top}
        for name, kind in kinds.items():
            folder = "../resources" if name in EXTENDED else "."
            text += f"import {{ {kind} }} from '{folder}/{name.replace('_', '-')}.js';\n"
        text += "import type { Transport } from '../transport.js';\n\n/** Every resource of the API. */\nexport class Api {\n"
        text += "".join(
            f"  /** {self.words(name)} */\n  readonly {camel(name)}: {kinds[name]};\n" for name in top
        )
        text += "\n  /** Made by `createClient`. */\n  constructor(transport: Transport) {\n"
        text += "".join(f"    this.{camel(name)} = new {kind}(transport);\n" for name, kind in kinds.items())
        return text + "  }\n}\n"


def literal(value: Any, indent: str = "") -> str:
    """JSON as a TypeScript literal, names in camelCase."""
    if isinstance(value, dict):
        inside = [f"{camel(name)}: {literal(item, indent + '  ')}" for name, item in value.items()]
        flat = f"{{ {', '.join(inside)} }}" if inside else "{}"
        if len(flat) < 90 and "\n" not in flat:
            return flat
        return "{\n" + "".join(f"{indent}  {item},\n" for item in inside) + indent + "}"
    if isinstance(value, list):
        return f"[{', '.join(literal(item, indent) for item in value)}]"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return json.dumps(value)
