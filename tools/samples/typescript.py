"""Programs for the TypeScript library: modules, with await at the top."""

from __future__ import annotations

from tools.samples.asked import Asked
from tools.sdk_typescript.document import camel
from tools.sdk_typescript.resources import literal

WIDTH = 80


def typescript(asked: Asked) -> str:
    head = ["import { createClient } from '@novavms/sdk';"]
    if asked.form == "content":
        head.insert(0, "import { writeFile } from 'node:fs/promises';")
    head += ["", "const novavms = createClient();"]
    if asked.person:
        head.append(f"await novavms.auth.login({{ email: '{asked.person}', password: 'Correct-Horse-1' }});")
    return "\n".join([*head, *_lines(asked)])


def _lines(asked: Asked) -> list[str]:
    call = "novavms.auth.refresh()" if asked.id == "refreshSession" else _call(asked)
    name = camel(asked.name)
    if asked.more:
        return [f"const {{ data }} = await {call};", "console.log(data);"]
    if asked.form == "page":
        return [f"for await (const {name} of {call}) console.log({name});"]
    if asked.form == "stream":
        return [f"for await (const item of {call}) console.log(item.type, item.data);"]
    if asked.form == "content":
        written = f"await writeFile('{asked.file}', new Uint8Array(await picture.arrayBuffer()));"
        return [f"const picture = await {call};", written]
    if asked.form == "nothing":
        return [f"await {call};"]
    shown = ", ".join(f"{name}.{camel(member)}" for member in asked.shown) or name
    return [f"const {name} = await {call};", f"console.log({shown});"]


def _call(asked: Asked) -> str:
    words = [literal(one) for one in asked.ids]
    given = {**asked.query, **(asked.body or {})}
    if given:
        words.append(literal(given))
    method = ".".join(camel(part) for part in asked.method.split("."))
    line = f"novavms.{method}({', '.join(words)})"
    if given and len(line) > WIDTH and "\n" not in line:
        members = "".join(f"  {camel(name)}: {literal(value, '  ')},\n" for name, value in given.items())
        line = f"novavms.{method}({', '.join([*words[:-1], ''])}{{\n{members}}})"
    return line
