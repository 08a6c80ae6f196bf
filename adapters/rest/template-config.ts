/** `GET /users/{id}`: a method and a path, with places for values. */
export const requestSchema = {
  type: 'string',
  pattern: '^(GET|POST|PUT|PATCH|DELETE) /[^\\s#]*$',
  description: 'A method and a path below the base URL; values in braces are encoded.',
  examples: ['GET /users/{id}'],
} as const;

/** RFC 6901. */
export const pointerSchema = {
  type: 'string',
  pattern: '^(/([^~/]|~[01])*)*$',
  description: 'A JSON Pointer (RFC 6901); the empty text is the whole.',
  examples: ['/profile/email'],
} as const;

/** Any JSON; a text `{name}` becomes the value itself, with its type. */
export const jsonTemplateSchema = {
  description: 'JSON with values in braces: a text that is nothing but `{name}` becomes the value with its type.',
  examples: [{ member: '{value}' }],
} as const;

export const statusesSchema = {
  type: 'array',
  items: { type: 'integer', minimum: 200, maximum: 599 },
  examples: [[404, 410]],
} as const;
