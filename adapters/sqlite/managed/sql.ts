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
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] ?? null;
    if (part instanceof Sql) {
      text += part.text;
      for (const param of part.params) params.push(param);
    } else {
      text += '?';
      params.push(part);
    }
    text += strings[index + 1];
  }
  return new Sql(text, params);
}

/**
 * A limit as an expression: SQLite looks at the value of a plain `LIMIT ?` when it plans the statement, and so compiles it
 * anew every time that it is bound, which takes three times as long as a look-up.
 */
export function limitTo(limit: number, offset = 0): Sql {
  return sql`LIMIT ${limit} + 0 OFFSET ${offset}`;
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
