/** What SQLite takes as a parameter here. */
export type Bindable = string | number | null;

/** SQL text with the values of its parameters, in their order. */
export class Sql {
  readonly text: string;
  readonly params: readonly Bindable[];

  constructor(text: string, params: readonly Bindable[]) {
    this.text = text;
    this.params = params;
  }
}

/** A template whose parts are either SQL again or values, which become parameters. */
export function sql(strings: TemplateStringsArray, ...parts: readonly (Sql | Bindable)[]): Sql {
  let text = strings[0] ?? '';
  const params: Bindable[] = [];
  for (const [index, part] of parts.entries()) {
    if (part instanceof Sql) {
      text += part.text;
      params.push(...part.params);
    } else {
      text += '?';
      params.push(part);
    }
    text += strings[index + 1];
  }
  return new Sql(text, params);
}

/** The parts one after the other with a separator between them, which is SQL text. */
export function joined(parts: readonly Sql[], separator: string): Sql {
  return new Sql(
    parts.map(({ text }) => text).join(separator),
    parts.flatMap(({ params }) => params),
  );
}

/** For people to read: the values stand where their parameters were. */
export function spelledOut({ text, params }: Sql): string {
  let index = 0;
  return text.replace(/\?/g, () => literal(params[index++] ?? null));
}

function literal(value: Bindable): string {
  if (value === null) return 'NULL';
  return typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`;
}
