/**
 * The type of what a JSON Schema lets through, once defaults are filled in: what `open` gets. Understood are `type`,
 * `properties`, `required`, `default`, `items`, `additionalProperties`, `enum`, `const`, `anyOf` and `oneOf`; what else a
 * schema says is `unknown`.
 */
export type ConfigOf<Schema> = Schema extends { readonly const: infer Value }
  ? Value
  : Schema extends { readonly enum: readonly (infer Value)[] }
    ? Value
    : Schema extends { readonly anyOf: readonly (infer One)[] } | { readonly oneOf: readonly (infer One)[] }
      ? OneOf<One>
      : Schema extends { readonly type: infer Type }
        ? OfType<Schema, Type>
        : unknown;

type OneOf<Schema> = Schema extends unknown ? ConfigOf<Schema> : never;

type OfType<Schema, Type> = Type extends readonly (infer One)[] ? OfOneType<Schema, One> : OfOneType<Schema, Type>;

type OfOneType<Schema, Type> = Type extends 'string'
  ? string
  : Type extends 'number' | 'integer'
    ? number
    : Type extends 'boolean'
      ? boolean
      : Type extends 'null'
        ? null
        : Type extends 'array'
          ? readonly (Schema extends { readonly items: infer Items } ? ConfigOf<Items> : unknown)[]
          : Type extends 'object'
            ? ObjectOf<Schema>
            : unknown;

type ObjectOf<Schema> = Schema extends { readonly properties: infer Properties }
  ? {
      readonly [Name in keyof Properties as IsGiven<Schema, Properties, Name> extends true ? Name : never]: ConfigOf<
        Properties[Name]
      >;
    } & {
      readonly [Name in keyof Properties as IsGiven<Schema, Properties, Name> extends true ? never : Name]?: ConfigOf<
        Properties[Name]
      >;
    }
  : Schema extends { readonly additionalProperties: infer Values }
    ? Readonly<Record<string, Values extends object ? ConfigOf<Values> : unknown>>
    : Readonly<Record<string, unknown>>;

/** Required, or filled in. */
type IsGiven<Schema, Properties, Name extends keyof Properties> = Properties[Name] extends { readonly default: unknown }
  ? true
  : Schema extends { readonly required: readonly (infer Required)[] }
    ? Name extends Required
      ? true
      : false
    : false;
