// The functions of release 0.3.0 that use the state table, for the tests of later releases. Do not edit.
// Made by: npx node test/releases/bundle.ts acf8c11017f134536d29cbedf00bec4b3f5ac11a

// functions/domain/connector/connector-schema.ts
import * as z2 from "zod";

// functions/domain/result.ts
function ok(value) {
  return { ok: true, value };
}
function failed(failure3) {
  return { ok: false, failure: failure3 };
}

// functions/domain/time.ts
var second = 1e3;
var minute = 60 * second;
var hour = 60 * minute;
var day = 24 * hour;
function iso(at) {
  return new Date(at).toISOString();
}
function floorToSecond(at) {
  return Math.floor(at / second) * second;
}

// functions/domain/connector/allowed-hosts.ts
function isAllowedHost(url, allowedHosts) {
  const port = url.port === "" ? url.protocol === "https:" ? "443" : "80" : url.port;
  const forms = [url.hostname, `${url.hostname}:${port}`];
  return allowedHosts.some((allowed) => forms.includes(allowed.toLowerCase()));
}

// functions/domain/connector/log-filter-schema.ts
import * as z from "zod";

// functions/domain/record/fields.ts
var severities = ["informational", "low", "medium", "high", "critical"];
var recordFields = {
  id: {
    type: "string",
    required: true,
    doc: "Identity of the event: a hash of connector, stream and the vendor’s id. The same event always has the same id."
  },
  timestamp: {
    type: "bigint",
    required: true,
    doc: "When the event happened (epoch ms). If the vendor’s time cannot be read, when it was received."
  },
  ingested_at: { type: "bigint", required: true, doc: "When the event was received (epoch ms)." },
  ingest_mode: {
    type: "string",
    required: true,
    values: ["live", "backfill", "rewind"],
    doc: "Why the event was read: live: as it came; backfill: later, to fill a gap; rewind: reserved."
  },
  tenant_name: { type: "string", required: true, doc: "The tenant of the connector." },
  connector_id: { type: "string", required: true, doc: "The connector that read the event." },
  connector_name: { type: "string", required: true, doc: "The connector’s name." },
  domain: { type: "string", required: true, doc: "The base URL that the event was read from." },
  msg_class: { type: "string", required: true, doc: "Class of the message: vendor, product and content type." },
  msg_origin: {
    type: "struct",
    required: true,
    doc: "The origin of the message.",
    fields: {
      vendor: { type: "string", required: true, doc: "The vendor." },
      source: { type: "string", required: true, doc: "The vendor’s product." },
      category: { type: "string", required: true, doc: "The kind of product." },
      processor: {
        type: "struct",
        required: true,
        doc: "The program that read the message.",
        fields: {
          name: { type: "string", required: true, doc: "Name of the processor." },
          type: { type: "string", required: true, doc: "Kind of processor." }
        }
      }
    }
  },
  event_type: { type: "string", required: true, doc: "Kind of event, as the connector’s eventTypes name it." },
  service: { type: "string", required: true, doc: "The protected service, as the connector’s contentTypes name it." },
  severity: { type: "string", values: severities, doc: "From the vendor’s risk level or, if there is none, from the kind of threat." },
  user: { type: "string", doc: "The user concerned." },
  location: { type: "string", doc: "Place of the file or message: a URL, a path or a folder." },
  file_name: { type: "string", doc: "Name of the file or attachment." },
  file_sha1: { type: "string", doc: "SHA-1 of the file, lower-case hex." },
  file_sha256: { type: "string", doc: "SHA-256 of the file, lower-case hex." },
  email_message_id: { type: "string", doc: "The mail’s Message-ID." },
  email_sender: { type: "string", doc: "The mail’s sender." },
  email_recipients: { type: "array<string>", doc: "The mail’s recipients." },
  email_subject: { type: "string", doc: "The mail’s subject." },
  threat_name: { type: "string", doc: "Name of the risk, malware or ransomware that was found." },
  threat_type: { type: "string", doc: "Kind of threat." },
  detected_by: { type: "string", doc: "The technique that found it." },
  policy_name: { type: "string", doc: "The policy that was triggered." },
  rule_name: { type: "string", doc: "The rule or filter of the policy that was triggered." },
  dlp_templates: { type: "array<string>", doc: "The data loss prevention templates that matched." },
  action: { type: "string", doc: "The action that was taken." },
  outcome: { type: "string", doc: "The result of the action." },
  syslog: {
    type: "struct",
    required: true,
    doc: "The event as a syslog message (RFC 5424).",
    fields: {
      facility: { type: "int", required: true, doc: "Facility, 0 to 23." },
      severity: { type: "int", required: true, doc: "Severity, 0 (emergency) to 7 (debug)." },
      priority: { type: "int", required: true, doc: "Facility × 8 + severity." },
      timestamp: { type: "string", required: true, doc: "When the event happened (RFC 3339)." },
      hostname: { type: "string", required: true, doc: "Host that the event was read from." },
      app_name: { type: "string", required: true, doc: "The product." },
      proc_id: { type: "string", required: true, doc: "The process: “-”, because the vendor names none." },
      msg_id: { type: "string", required: true, doc: "Kind of event." },
      message: { type: "string", required: true, doc: "The event in the vendor’s own syslog format." }
    }
  },
  class_uid: { type: "int", required: true, doc: "OCSF 1.8 class: 2004 Detection Finding, 2006 Data Security Finding." },
  type_uid: { type: "bigint", required: true, doc: "OCSF event type: class × 100 + activity (1, create)." },
  severity_id: { type: "int", required: true, doc: "OCSF severity: 0 unknown, 1 informational, 2 low, 3 medium, 4 high, 5 critical." },
  malformed: { type: "boolean", doc: "True if the item differs from the vendor’s documentation. raw has all of it." },
  raw: { type: "string", required: true, doc: "The item as received (JSON)." },
  raw_encoding: { type: "string", doc: "The encoding of raw if it is not plain text: gzip+base64, or truncated." }
};

// functions/domain/connector/filter-operators.ts
import ipaddr from "ipaddr.js";
import { RE2JS, RE2JSSyntaxException } from "re2js";

// functions/domain/connector/problems.ts
var quotedMax = 60;
var keyLike = /(?=[A-Za-z0-9]*[0-9])[A-Za-z0-9]{20}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-/i;
var nameMax = 64;
function quote(value) {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value !== "string") return String(value);
  if (keyLike.test(value.slice(0, 2 * quotedMax))) return `a text of ${value.length} characters`;
  const visible = (text4) => JSON.stringify(text4).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, escaped);
  return value.length <= quotedMax ? visible(value) : `${visible(`${value.slice(0, quotedMax)}…`)} (${value.length} characters)`;
}
function escaped(character) {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}
function mustBe(allowed) {
  return ({ input }) => input === void 0 ? `It is missing. Give ${allowed}.` : `It is ${quote(input)}. Give ${allowed}.`;
}
function mustBeOneOf(allowed) {
  const choice = `one of: ${allowed.join(", ")}`;
  return ({ input }) => {
    const meant = typeof input === "string" ? closest(input, allowed) : void 0;
    return meant === void 0 ? mustBe(choice)({ input }) : `It is ${quote(input)}. Did you mean ${meant}? Give ${choice}.`;
  };
}
function hasOnly(what, known) {
  return (issue) => {
    if (issue.code !== "unrecognized_keys" || !Array.isArray(issue.keys))
      return mustBe(`${what}: an object with ${known.join(", ")}`)(issue);
    return issue.keys.slice(0, 3).map((name) => unknownName(String(name), what, known)).join(" ");
  };
}
function unknownName(name, what, known) {
  const meant = closest(name, known);
  const hint = meant === void 0 ? `The attributes are ${known.join(", ")}.` : `Did you mean ${meant}?`;
  return `${quote(name)} is no attribute of ${what}. ${hint} Rename or remove it.`;
}
function closest(name, known) {
  if (name.length > nameMax) return void 0;
  const plain = (text4) => text4.toLowerCase().replace(/[^a-z0-9]/g, "");
  const seen = plain(name);
  const allowance = Math.min(2, Math.floor(seen.length / 2));
  const ranked = known.map((candidate) => ({ candidate, edits: edits(seen, plain(candidate)) })).sort((a, b) => a.edits - b.edits);
  const near = ranked.find((entry) => entry.edits <= allowance);
  const part = ranked.find(({ candidate }) => seen.length >= 3 && plain(candidate).includes(seen));
  return (near ?? part)?.candidate;
}
function edits(from, to) {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [line, letter] of [...from].entries()) {
    const next = [line + 1];
    for (let column = 0; column < to.length; column++) {
      const replaced = (row[column] ?? 0) + (letter === to[column] ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
function problemsOf(error) {
  const found = /* @__PURE__ */ new Map();
  for (const { path: path2, message } of error.issues) {
    const problem = { path: pathText(path2), message };
    found.set(JSON.stringify(problem), problem);
  }
  return [...found.values()];
}
function pathText(path2) {
  return path2.map((step, index) => {
    if (typeof step === "number") return `[${step}]`;
    const name = String(step);
    if (!/^\w{1,60}$/.test(name) || keyLike.test(name)) return `[${quote(name)}]`;
    return index === 0 ? name : `.${name}`;
  }).join("");
}

// functions/domain/connector/filter-operators.ts
var patternSizeMax = 2e3;
var comparisons = {
  equals: comparison("The field equals the value.", readText, foldedText, (wanted) => memberOf(new Set(wanted))),
  in: comparison("The field is in the list of values; the same as equals.", readText, foldedText, (wanted) => memberOf(new Set(wanted))),
  contains: ofTexts("The field contains the value.", (text4, wanted) => text4.includes(wanted)),
  startsWith: ofTexts("The field begins with the value.", (text4, wanted) => text4.startsWith(wanted)),
  endsWith: ofTexts("The field ends with the value.", (text4, wanted) => text4.endsWith(wanted)),
  matches: comparison(
    "The regular expression (RE2) matches any part of the field. Case matters, unless the expression begins with (?i).",
    readPattern,
    plainText,
    any((text4, pattern) => pattern.test(text4))
  ),
  exists: { doc: "The record has the field. Takes no values.", problem: () => void 0, compile: () => () => true },
  greaterThan: ofNumbers("The field is a number greater than the value.", (number7, bound) => number7 > bound),
  greaterOrEqual: ofNumbers("The field is a number greater than or equal to the value.", (number7, bound) => number7 >= bound),
  lessThan: ofNumbers("The field is a number less than the value.", (number7, bound) => number7 < bound),
  lessOrEqual: ofNumbers("The field is a number less than or equal to the value.", (number7, bound) => number7 <= bound),
  inCidr: comparison("The field is an IP address in the network.", readNetwork, addressFound, any(isWithin))
};
var negations = {
  notEquals: "equals",
  notIn: "in",
  notContains: "contains",
  notStartsWith: "startsWith",
  notEndsWith: "endsWith",
  notMatches: "matches",
  notExists: "exists",
  notInCidr: "inCidr"
};
var operators = [...keysOf(comparisons), ...keysOf(negations)];
function keysOf(table) {
  return Object.keys(table);
}
function isNegation(operator) {
  return Object.hasOwn(negations, operator);
}
function positiveOf(operator) {
  return isNegation(operator) ? negations[operator] : operator;
}
function comparison(doc, read, find, prepare) {
  return {
    doc,
    problem(value) {
      const wanted = read(value);
      return wanted.ok ? void 0 : wanted.failure;
    },
    compile(values) {
      const agrees = prepare(
        values.map((value) => {
          const wanted = read(value);
          if (!wanted.ok) throw new Error(`A filter was not checked before it was compiled. ${wanted.failure}`);
          return wanted.value;
        })
      );
      return (value) => {
        const found = find(value);
        return found !== void 0 && agrees(found);
      };
    }
  };
}
function any(agree) {
  return (wanted) => (found) => wanted.some((one) => agree(found, one));
}
function ofTexts(doc, agree) {
  return comparison(doc, readText, foldedText, any(agree));
}
function ofNumbers(doc, agree) {
  return comparison(doc, readNumber, numberFound, any(agree));
}
function memberOf(set) {
  return (found) => set.has(found);
}
function fold(text4) {
  return text4.toUpperCase();
}
function plainText(found) {
  return typeof found === "string" || typeof found === "number" || typeof found === "boolean" ? String(found) : void 0;
}
function foldedText(found) {
  const text4 = plainText(found);
  return text4 === void 0 ? void 0 : fold(text4);
}
function readText(value) {
  if (value === "") return failed("It is an empty text, and no field of a record is empty. Give some text, or use exists or notExists.");
  return ok(fold(String(value)));
}
var decimal = /^[+-]?\d+(\.\d+)?$/;
function numberFound(found) {
  if (typeof found === "string") return decimal.test(found) ? Number(found) : void 0;
  return typeof found === "number" ? found : void 0;
}
function readNumber(value) {
  const number7 = numberFound(value);
  return number7 === void 0 ? failed(mustBe("a number, such as 10 or 0.5; for a time the epoch in milliseconds")({ input: value })) : ok(number7);
}
function readPattern(value) {
  const rule = "Give a regular expression of RE2: without lookaround and backreferences.";
  if (typeof value !== "string" || value === "") return failed(`It is ${quote(value)}. ${rule}`);
  try {
    const pattern = RE2JS.compile(value);
    if (pattern.programSize() <= patternSizeMax) return ok(pattern);
    return failed(`It is ${quote(value)}, which is too large when its repetitions are written out. Give a simpler regular expression.`);
  } catch (thrown) {
    if (!(thrown instanceof RE2JSSyntaxException)) throw thrown;
    const where = thrown.getPattern() === null ? "" : ` at ${quote(thrown.getPattern())}`;
    return failed(`It is ${quote(value)}, which is not a regular expression: ${thrown.getDescription()}${where}. ${rule}`);
  }
}
function addressFound(found) {
  if (typeof found !== "string") return void 0;
  if (ipaddr.IPv4.isValidFourPartDecimal(found)) return ipaddr.IPv4.parse(found);
  if (!found.includes(":") || !ipaddr.IPv6.isValid(found)) return void 0;
  const address = ipaddr.IPv6.parse(found);
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}
function readNetwork(value) {
  const [text4 = "", bits, ...more] = String(value).split("/");
  const address = addressFound(text4);
  if (address !== void 0 && more.length === 0) {
    const width = address.kind() === "ipv4" ? 32 : 128;
    const skipped = width === 32 && text4.includes(":") ? 96 : 0;
    const prefix = bits === void 0 ? width : /^\d{1,3}$/.test(bits) ? Number(bits) - skipped : Number.NaN;
    if (prefix >= 0 && prefix <= width) return ok([address, prefix]);
  }
  return failed(mustBe("a network in CIDR notation or an address, such as 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32")({ input: value }));
}
function isWithin(address, [network, prefix]) {
  return address.kind() === network.kind() && address.match(network, prefix);
}

// functions/domain/connector/log-filters.ts
function valuesAt(value, path2, at = 0) {
  if (value === void 0 || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((element) => valuesAt(element, path2, at));
  const name = path2[at];
  if (name === void 0) return [value];
  return isObject(value) && Object.hasOwn(value, name) ? valuesAt(value[name], path2, at + 1) : [];
}
function isObject(value) {
  return typeof value === "object" && value !== null;
}
function compileCondition({ field, operator, values }) {
  const path2 = field.split(".");
  const holds = comparisons[positiveOf(operator)].compile(values);
  const negated = isNegation(operator);
  return (record2) => valuesAt(record2, path2).some(holds) !== negated;
}
function compileFilters(filters) {
  const compiled = filters.map(({ name, action, shadow, conditions }) => {
    const all = conditions.map(compileCondition);
    return { name, action, shadow, matches: (record2) => all.every((holds) => holds(record2)) };
  });
  const includes = compiled.filter(({ action, shadow }) => action === "include" && !shadow);
  const notIncluded = (record2) => !includes.some(({ matches }) => matches(record2));
  return {
    active: compiled.filter((filter) => !filter.shadow && (filter.action === "exclude" || filter === includes[0])).map(({ name, action, matches }) => ({ name, drops: action === "exclude" ? matches : notIncluded })),
    shadow: compiled.filter(({ shadow }) => shadow).map(({ name, action, matches }) => ({
      name,
      drops: action === "exclude" ? matches : (record2) => notIncluded(record2) && !matches(record2)
    }))
  };
}
function applyFilters({ active, shadow }, record2) {
  const dropped = active.find(({ drops }) => drops(record2));
  const wouldDrop = shadow.filter(({ drops }) => drops(record2));
  return { keep: dropped === void 0, counted: [...dropped === void 0 ? [] : [dropped], ...wouldDrop].map(({ name }) => name) };
}

// functions/domain/connector/log-filter-schema.ts
var filtersMax = 50;
var conditionsMax = 20;
var valuesMax = 1e3;
var valueCharactersMax = 1e3;
var patternsMax = 50;
var fieldRule = mustBe("the path of a field of the record, such as severity or syslog.facility");
var fieldSchema = z.string({ error: fieldRule }).max(200, { error: fieldRule }).regex(/^[^.\s\p{C}]+(\.[^.\s\p{C}]+)*$/u, { error: fieldRule }).superRefine((field, context) => {
  const problem = unknownField(field.split("."), recordFields);
  if (problem !== void 0) context.addIssue({ code: "custom", message: problem });
});
function unknownField(path2, table, above = "") {
  const [name = "", ...rest] = path2;
  const field = Object.hasOwn(table, name) ? table[name] : void 0;
  if (field === void 0) {
    if (above === "" && rest.length > 0) return void 0;
    const meant = closest(name, Object.keys(table));
    const vendors2 = above === "" ? "; a vendor’s own fields are written vendor.field" : "";
    const hint = meant === void 0 ? `The fields are ${Object.keys(table).join(", ")}${vendors2}.` : `Did you mean ${above}${meant}?`;
    return `${quote(`${above}${name}`)} is no field of a record. ${hint}`;
  }
  if (rest.length === 0) return void 0;
  if (field.type === "struct") return unknownField(rest, field.fields, `${above}${name}.`);
  return `${quote(`${above}${name}`)} has no fields inside. Give it without ${quote(`.${rest.join(".")}`)}.`;
}
var valueRule = mustBe(`a text of at most ${valueCharactersMax} characters, a number, true or false`);
var valuesRule = mustBe(`a list of at most ${valuesMax} texts or numbers, such as ["low"]`);
var conditionSchema = z.strictObject(
  {
    field: fieldSchema,
    operator: z.enum(operators, { error: mustBeOneOf(operators) }),
    values: z.array(z.union([z.string().max(valueCharactersMax), z.number(), z.boolean()], { error: valueRule }), { error: valuesRule }).max(valuesMax, { error: valuesRule }).default([])
  },
  { error: hasOnly("a condition", ["field", "operator", "values"]) }
).superRefine(({ operator, values }, context) => {
  const positive = positiveOf(operator);
  if (positive === "exists" !== (values.length === 0)) {
    const message = positive === "exists" ? `${operator} takes no values. Remove them.` : `${operator} needs at least one value. It has none.`;
    context.addIssue({ code: "custom", path: ["values"], message });
  }
  for (const [index, value] of values.entries()) {
    const message = comparisons[positive].problem(value);
    if (message !== void 0) context.addIssue({ code: "custom", path: ["values", index], message });
  }
});
var nameRule = mustBe("a name of 1 to 64 letters, digits, dots, blanks, hyphens or underscores, the first a letter or digit");
var conditionsRule = mustBe(`a list of 1 to ${conditionsMax} conditions`);
var logFilterSchema = z.strictObject(
  {
    name: z.string({ error: nameRule }).regex(/^[A-Za-z0-9][A-Za-z0-9._ -]{0,63}$/, { error: nameRule }).refine((name) => !(name in {}), { error: ({ input }) => `It is ${quote(input)}, which is reserved. Give another name.` }),
    conditions: z.array(z.unknown(), { error: conditionsRule }).min(1, { error: conditionsRule }).max(conditionsMax, { error: conditionsRule }).pipe(z.array(conditionSchema)),
    action: z.enum(["exclude", "include"], { error: mustBeOneOf(["exclude", "include"]) }).default("exclude"),
    shadow: z.boolean({ error: mustBe("true or false") }).default(false)
  },
  { error: hasOnly("a log filter", ["name", "conditions", "action", "shadow"]) }
);
var filtersRule = mustBe(`a list of at most ${filtersMax} log filters`);
var logFiltersSchema = z.array(z.unknown(), { error: filtersRule }).max(filtersMax, { error: filtersRule }).superRefine((filters, context) => {
  const patterns = countPatterns(filters);
  const message = `It has ${patterns} regular expressions. Give at most ${patternsMax}; join some with |.`;
  if (patterns > patternsMax) context.addIssue({ code: "custom", message });
}).pipe(z.array(logFilterSchema)).superRefine((filters, context) => {
  for (const [index, { name }] of filters.entries()) {
    const first = filters.findIndex((filter) => filter.name === name);
    const message = `${quote(name)} is also the name of logFilters[${first}]. Give each filter its own name: events are counted under it.`;
    if (first < index) context.addIssue({ code: "custom", path: [index, "name"], message });
  }
});
function countPatterns(filters) {
  return valuesAt(filters, ["conditions"]).filter((condition) => valuesAt(condition, ["operator"]).some((operator) => operator === "matches" || operator === "notMatches")).reduce((sum, condition) => sum + valuesAt(condition, ["values"]).length, 0);
}

// functions/domain/connector/connector-schema.ts
var problemsMax = 50;
var secretsMax = 20;
var retentionMarginMinutes = 10;
function text(pattern, allowed) {
  const error = mustBe(allowed);
  return z2.string({ error }).regex(pattern, { error });
}
function identifier() {
  return text(/^[A-Za-z0-9._-]{1,64}$/, "1 to 64 letters (A to Z), digits, dots, hyphens or underscores");
}
function whole(what, min, max) {
  const error = unquoted(mustBe(`${what}, ${max === void 0 ? `${min} or more` : `from ${min} to ${max}`}`), "N");
  return z2.int({ error }).min(min, { error }).max(max ?? Number.MAX_SAFE_INTEGER, { error });
}
function flag() {
  return z2.boolean({ error: unquoted(mustBe("true or false"), "BOOL") });
}
function unquoted(error, type) {
  return (issue) => `${error(issue)}${typeof issue.input === "string" ? ` It is a text; its type in DynamoDB must be ${type}.` : ""}`;
}
var pemRule = "one or more certificates in PEM form: -----BEGIN CERTIFICATE-----, base64, -----END CERTIFICATE-----";
function pemProblem(pem) {
  if (pem.includes("PRIVATE KEY")) return "It holds a private key. Give certificates only, and make a new private key: this one is exposed.";
  const count2 = pem.split("-----BEGIN CERTIFICATE-----").length - 1;
  if (count2 === 0) return `It is a text of ${pem.length} characters without a certificate. Give ${pemRule}.`;
  const whole2 = [...pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----/g)].filter(
    ([, body = ""]) => isCertificate(body)
  );
  if (whole2.length === count2) return void 0;
  return `${count2 - whole2.length} of its ${count2} certificates cannot be read. Give ${pemRule}. Use real line breaks, not "\\n".`;
}
function isCertificate(base64) {
  const text4 = base64.replace(/\s/g, "");
  return text4.length % 4 === 0 && /^MI[A-Za-z0-9+/]+={0,2}$/.test(text4);
}
var secretsRule = mustBe(`a list of 1 to ${secretsMax} names of secrets`);
function secretsError({ input }) {
  if (typeof input !== "string") return secretsRule({ input });
  return `It is a text of ${input.length} characters. Give a list, even of one: ["name"] (DynamoDB type L).`;
}
var attributes = {
  connectorId: identifier().meta({
    kind: "text",
    description: "Key of the table. 1 to 64 letters, digits, dots, hyphens or underscores. Cannot change."
  }),
  type: z2.string({ error: mustBe("the type of a vendor") }).meta({
    kind: "text",
    description: "The vendor that events are collected from. Cannot change."
  }),
  name: text(/^(?! )[\x20-\x7e]{1,128}(?<! )$/, "1 to 128 ASCII characters, such as tenant-type").meta({
    kind: "text",
    description: "Display name, 1 to 128 ASCII characters; by convention tenant-type. Cannot change."
  }),
  tenantName: text(/^(?!\s)[^\p{C}\p{Zl}\p{Zp}]{1,128}(?<!\s)$/u, "1 to 128 printable characters, without blanks at either end").meta({
    kind: "text",
    description: "The tenant that owns the events, 1 to 128 printable characters. It is in every record. Cannot change."
  }),
  baseUrl: z2.string({ error: mustBe("the address of the vendor’s service, https://host") }).meta({
    kind: "text",
    description: "Address of the vendor’s service, https://host. Anything after the host is ignored."
  }),
  apiKeySecrets: z2.array(z2.string({ error: mustBe("the name of a secret, a text") }), { error: secretsError }).min(1, { error: secretsError }).max(secretsMax, { error: secretsError }).meta({
    kind: "list of texts",
    description: "Names of 1 to 20 secrets in Secrets Manager, under the stack’s prefix. A secret holds an API key as its text, or in a JSON object: then write name#jsonKey. Several keys form a pool."
  }),
  contentTypes: z2.unknown().optional().meta({
    kind: "list of texts",
    description: "The content that is collected, by the vendor’s names.",
    shownDefault: "the vendor’s"
  }),
  eventTypes: z2.unknown().optional().meta({
    kind: "list of texts",
    description: "The kinds of event that are collected, by the vendor’s names.",
    shownDefault: "the vendor’s"
  }),
  logFilters: logFiltersSchema.default([]).meta({
    kind: "list of log filters",
    description: "Filters that keep events out of the lake."
  }),
  disableTlsVerification: flag().default(false).meta({
    kind: "boolean",
    description: "Accept any certificate, on this connector’s connections only. A last resort: tlsCaPem is better."
  }),
  tlsCaPem: z2.string({ error: mustBe(pemRule) }).superRefine((pem, context) => {
    const message = pemProblem(pem);
    if (message !== void 0) context.addIssue({ code: "custom", message });
  }).exactOptional().meta({
    kind: "text",
    description: "Certificates of your own CA, in PEM form, trusted in addition to the public CAs. Not together with disableTlsVerification."
  }),
  enabled: flag().default(true).meta({
    kind: "boolean",
    description: "Whether the connector collects. When it is true again, the events of the pause are read, as far as the vendor still keeps them."
  }),
  intervalMinutes: whole("a whole number of minutes", 1, 60).default(5).meta({
    kind: "number",
    description: "How often it collects, in minutes: 1 to 60."
  }),
  requestsPerMinute: whole("a whole number", 1, 6e3).default(20).meta({
    kind: "number",
    description: "Requests a minute that the vendor allows each API key: 1 to 6000. When connectors share a key, the lowest value counts."
  }),
  requestsPerDay: whole("a whole number", 1).exactOptional().meta({
    kind: "number",
    description: "Requests in any 24 hours that the vendor allows each API key, if it has such a limit."
  }),
  rateGroup: identifier().exactOptional().meta({
    kind: "text",
    description: "Name of a group of connectors whose keys the vendor counts as one customer: they share one limit. Same characters as connectorId."
  }),
  initialBackfillMinutes: whole("a whole number of minutes", 0).default(10).meta({
    kind: "number",
    description: `How far back the first read begins, in minutes: 0 up to ${retentionMarginMinutes} less than the vendor keeps events (72 hours: 4310).`
  }),
  lateArrivalMinutes: whole("a whole number of minutes", 0, 1440).exactOptional().meta({
    kind: "number",
    description: "How late an event may appear at the vendor and still be read without delay, in minutes: 0 to 1440.",
    shownDefault: "the vendor’s"
  }),
  sharedKey: flag().default(false).meta({
    kind: "boolean",
    description: "Allows connectors of several tenants to use one API key. All of them must set it."
  })
};
var connectorSchema = z2.object(attributes);
var vendorAttributes = ["contentTypes", "eventTypes"];
function parseConnector(item, policy) {
  if (!isItem(item)) {
    return { ok: false, problems: [{ path: "item", message: mustBe("an object with the attributes of a connector")({ input: item }) }] };
  }
  const parsed = connectorSchema.safeParse(item);
  const vendor = readVendor(item, policy);
  const own = vendor.ok ? readVendorAttributes(item, vendor.value) : unread;
  const baseUrl = vendor.ok ? readBaseUrl(item, vendor.value, policy) : unread;
  const secrets = readSecrets(item, policy);
  const problems = [
    // `readVendor` reports the type, and knows the vendors.
    ...parsed.success ? [] : problemsOf(parsed.error).filter(({ path: path2 }) => path2 !== "type"),
    ...[vendor, own, baseUrl, secrets].flatMap((part) => part.ok ? [] : part.failure),
    ...vendor.ok ? backfillProblems(item, vendor.value) : [],
    ...tlsProblems(item, policy),
    ...unknownAttributes(item)
  ];
  if (parsed.success && vendor.ok && own.ok && baseUrl.ok && secrets.ok && problems.length === 0) {
    const lateArrivalMinutes = vendor.value.lateArrivalMinutes(own.value);
    return {
      ok: true,
      connector: { lateArrivalMinutes, ...parsed.data, ...own.value, baseUrl: baseUrl.value, apiKeySecrets: secrets.value }
    };
  }
  return { ok: false, problems: bounded(problems) };
}
function isItem(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
var unread = failed([]);
function readVendor({ type }, { vendors: vendors2 }) {
  const vendor = typeof type === "string" ? vendors2.get(type) : void 0;
  return vendor === void 0 ? failed([{ path: "type", message: mustBeOneOf([...vendors2.keys()])({ input: type }) }]) : ok(vendor);
}
function readVendorAttributes(item, vendor) {
  const given = Object.fromEntries(vendorAttributes.flatMap((name) => item[name] === void 0 ? [] : [[name, item[name]]]));
  const own = vendor.attributes.safeParse(given);
  if (own.success) return ok(own.data);
  return failed(own.error.issues.map(({ path: path2, message }) => ({ path: pathText(path2), message: shortened(message, valueAt(given, path2)) })));
}
function shortened(message, value) {
  const json = JSON.stringify(value);
  const short = json === void 0 ? message : message.replaceAll(json, () => quote(value));
  return short.endsWith(".") ? short : `${short}.`;
}
function valueAt(value, path2) {
  return path2.reduce((inner, step) => typeof inner === "object" && inner !== null ? Reflect.get(inner, step) : void 0, value);
}
function readBaseUrl({ baseUrl }, vendor, { allowedHosts }) {
  if (typeof baseUrl !== "string") return unread;
  const refuse2 = (message) => failed([{ path: "baseUrl", message }]);
  const hosts = vendor.hosts.join(", ");
  if (baseUrl.includes("@")) return refuse2("It has an @, as for a user name and password, which are never sent. Give https://host alone.");
  const url = URL.parse(vendor.baseUrlOf(baseUrl));
  if (url === null || !["https:", "http:"].includes(url.protocol)) {
    return refuse2(`It is ${quote(baseUrl)}, which is not a web address. Give https:// and one of: ${hosts}.`);
  }
  if (isAllowedHost(url, allowedHosts)) return ok(url.origin);
  if (!vendor.hosts.includes(url.hostname)) {
    return refuse2(`Its host is ${quote(url.hostname)}. Give one of the vendor’s: ${hosts}; or ask the operator to allow this host.`);
  }
  if (url.protocol !== "https:" || url.port !== "") {
    return refuse2(`It is ${quote(url.origin)}. Only https on port 443 is allowed: give https://${url.hostname}.`);
  }
  return ok(url.origin);
}
function readSecrets({ apiKeySecrets }, { secretPrefix }) {
  const parsed = attributes.apiKeySecrets.safeParse(apiKeySecrets);
  if (!parsed.success) return unread;
  const problems = parsed.data.flatMap((name, index) => {
    const message = secretProblem(name, secretPrefix) ?? repetition(parsed.data, index);
    return message === void 0 ? [] : [{ path: `apiKeySecrets[${index}]`, message }];
  });
  return problems.length > 0 ? failed(problems) : ok(parsed.data.map(secretReference));
}
function secretReference(name) {
  const [secretName = "", ...jsonKey] = name.split("#");
  return jsonKey.length === 0 ? { secretName } : { secretName, jsonKey: jsonKey.join("#") };
}
function secretProblem(name, prefix) {
  const { secretName, jsonKey } = secretReference(name);
  if (!secretName.startsWith(prefix)) {
    const seen = secretName.startsWith("arn:") ? "an ARN" : `a text of ${name.length} characters`;
    return `It is ${seen} that does not begin with ${quote(prefix)}. Give the name of a secret under that prefix, or name#jsonKey. If it is an API key, make a new key and store that in a secret: this one is exposed.`;
  }
  if (secretName === prefix) return `It is the prefix alone. Give the whole name of a secret, such as ${quote(`${prefix}name`)}.`;
  if (!/^[A-Za-z0-9/_+=.@-]{1,512}$/.test(secretName)) {
    return `It is ${quote(name)}. The name of a secret has 1 to 512 letters (A to Z), digits and / _ + = . @ -. Give it as Secrets Manager shows it.`;
  }
  if (jsonKey !== void 0 && !/^[^\p{C}#]{1,128}$/u.test(jsonKey)) {
    return `It is ${quote(name)}. The part after # must be the name of one member of the secret’s JSON object, 1 to 128 characters. Give name#jsonKey.`;
  }
  return void 0;
}
function repetition(all, index) {
  const name = all[index];
  const first = name === void 0 ? index : all.indexOf(name);
  return first < index ? `It is ${quote(name)}, the same as apiKeySecrets[${first}]. Name each secret once.` : void 0;
}
function backfillProblems({ initialBackfillMinutes }, vendor) {
  const parsed = attributes.initialBackfillMinutes.safeParse(initialBackfillMinutes);
  const max = Math.floor(vendor.retentionMs / minute) - retentionMarginMinutes;
  if (!parsed.success || parsed.data <= max) return [];
  const allowed = mustBe(`a whole number of minutes from 0 to ${max}, since the vendor keeps events no longer`);
  return [{ path: "initialBackfillMinutes", message: allowed({ input: parsed.data }) }];
}
function tlsProblems({ tlsCaPem, disableTlsVerification }, { tlsVerificationOptional }) {
  if (disableTlsVerification === true && !tlsVerificationOptional) {
    const message2 = "It is true, but the operator of this deployment does not allow that. Give tlsCaPem, the CA that signed the certificate, instead.";
    return [{ path: "disableTlsVerification", message: message2 }];
  }
  if (tlsCaPem === void 0 || disableTlsVerification !== true) return [];
  const message = "It has no effect together with disableTlsVerification. Keep tlsCaPem and remove disableTlsVerification.";
  return [{ path: "tlsCaPem", message }];
}
function unknownAttributes(item) {
  const known = Object.keys(attributes);
  return Object.keys(item).filter((name) => !known.includes(name)).map((name) => ({ path: pathText([name]), message: unknownName(name, "a connector", known) }));
}
function bounded(problems) {
  const more = problems.length - problemsMax;
  if (more <= 0) return problems;
  return [...problems.slice(0, problemsMax), { path: "item", message: `There are ${more} more problems. Correct these first.` }];
}
var immutable = ["connectorId", "type", "name", "tenantName"];
function immutableProblems(before, after) {
  return immutable.filter((name) => before[name] !== after[name]).map((path2) => ({
    path: path2,
    message: `It is ${quote(after[path2])} and was ${quote(before[path2])} when the connector was accepted; it cannot change. Set it back, or make a connector with another connectorId.`
  }));
}

// functions/domain/failures.ts
function kind(retry, traits, remedy) {
  return { ...retry, ...traits, remedy };
}
var failures = {
  "bad-request": kind(
    { scope: "stream", retryMs: [minute, hour], triesMax: 1 },
    { request: "responded", killsLink: true, blamesRange: true, isVendors: false },
    "The vendor calls the request malformed (400). Check contentTypes and eventTypes; give the trace id to the vendor if they are right."
  ),
  unauthorized: kind(
    { scope: "key", retryMs: [30 * minute, hour], triesMax: 1 },
    { request: "responded", killsLink: false, blamesRange: false, isVendors: false },
    "The vendor rejects the API key (401). Check that it has not expired and belongs to the origin in baseUrl, then store a new one in the secret."
  ),
  forbidden: kind(
    { scope: "stream", retryMs: [5 * minute, hour], triesMax: 1 },
    { request: "responded", killsLink: true, blamesRange: false, isVendors: false },
    "The key has no permission for this content (403). Grant it in the vendor's console or remove the content type from the connector."
  ),
  "not-found": kind(
    { scope: "origin", retryMs: [minute, 15 * minute], triesMax: 1 },
    { request: "responded", killsLink: true, blamesRange: false, isVendors: false },
    "There is no such API at this address (404). Check baseUrl: it is the root of the service, without a path."
  ),
  throttled: kind(
    { scope: "key", retryMs: [minute, 30 * minute], triesMax: 4 },
    { request: "throttled", killsLink: false, blamesRange: false, isVendors: false },
    "The vendor refuses a request as one too many (429), although the limit was kept: something else uses the key. Use a key of its own, or lower requestsPerMinute."
  ),
  "vendor-error": kind(
    { scope: "stream", retryMs: [5 * second, 5 * minute], triesMax: 4 },
    { request: "responded", killsLink: false, blamesRange: true, isVendors: true },
    "The vendor has an error of its own (5xx). Tributary tries again; give the trace id to the vendor if it lasts."
  ),
  "vendor-overloaded": kind(
    { scope: "stream", retryMs: [15 * second, 5 * minute], triesMax: 4 },
    { request: "responded", killsLink: false, blamesRange: false, isVendors: true },
    "The vendor is overloaded or in maintenance (503). Tributary tries again."
  ),
  redirected: kind(
    { scope: "origin", retryMs: [5 * minute, hour], triesMax: 1 },
    { request: "responded", killsLink: false, blamesRange: false, isVendors: false },
    "The address redirects to another one, and redirects are never followed. Set baseUrl to the real address of the API."
  ),
  "unexpected-status": kind(
    { scope: "stream", retryMs: [minute, 15 * minute], triesMax: 1 },
    { request: "responded", killsLink: true, blamesRange: false, isVendors: false },
    "The vendor responded with a status that it does not document. Check that baseUrl is the API and not a proxy."
  ),
  "timed-out": kind(
    { scope: "stream", retryMs: [5 * second, 5 * minute], triesMax: 4 },
    { request: "unknown", killsLink: false, blamesRange: true, isVendors: true },
    "The vendor did not respond in time. Tributary tries again."
  ),
  unreachable: kind(
    { scope: "origin", retryMs: [15 * second, 5 * minute], triesMax: 2 },
    { request: "unknown", killsLink: false, blamesRange: false, isVendors: true },
    "The host cannot be reached. Check baseUrl, DNS and that the function may reach the internet."
  ),
  "tls-failed": kind(
    { scope: "origin", retryMs: [minute, 15 * minute], triesMax: 1 },
    { request: "unknown", killsLink: false, blamesRange: false, isVendors: false },
    "The certificate is not trusted. Set tlsCaPem to the CA that signed it; disableTlsVerification is the last resort."
  ),
  "address-refused": kind(
    { scope: "origin", retryMs: [5 * minute, hour], triesMax: 1 },
    { request: "unsent", killsLink: false, blamesRange: false, isVendors: false },
    "The host resolves to a private address, which is never connected to. Check baseUrl and DNS."
  ),
  "host-refused": kind(
    { scope: "connector", retryMs: [5 * minute, hour], triesMax: 1 },
    { request: "unsent", killsLink: false, blamesRange: false, isVendors: false },
    "This host is not one of the vendor's. Set baseUrl to one of them, or ask the operator to allow this host."
  ),
  "too-large": kind(
    { scope: "stream", retryMs: [minute, 15 * minute], triesMax: 4 },
    { request: "responded", killsLink: false, blamesRange: true, isVendors: false },
    "The response is larger than a page can be. Give the trace id to the vendor."
  ),
  "malformed-response": kind(
    { scope: "stream", retryMs: [5 * second, 15 * minute], triesMax: 3 },
    { request: "responded", killsLink: false, blamesRange: true, isVendors: false },
    "The response is not what the vendor documents. Check that baseUrl is the API and not a proxy; give the trace id to the vendor."
  ),
  "link-refused": kind(
    { scope: "range", retryMs: [5 * second, 5 * minute], triesMax: 1 },
    { request: "unsent", killsLink: true, blamesRange: false, isVendors: false },
    "The link to the next page leads to another host, which is never followed. Give the trace id to the vendor."
  ),
  "link-dead": kind(
    { scope: "range", retryMs: [0, minute], triesMax: 4 },
    { request: "responded", killsLink: false, blamesRange: false, isVendors: false },
    "The link to the next page no longer works. Tributary reads the range again, narrower."
  ),
  "link-repeats": kind(
    { scope: "range", retryMs: [0, minute], triesMax: 4 },
    { request: "responded", killsLink: false, blamesRange: false, isVendors: false },
    "The links of this range do not come to an end. Tributary reads the range again, narrower."
  ),
  "secret-missing": kind(
    { scope: "connector", retryMs: [minute, 5 * minute], triesMax: 1 },
    { request: "unsent", killsLink: false, blamesRange: false, isVendors: false },
    "The secret does not exist. Create it under exactly this name."
  ),
  "secret-unreadable": kind(
    { scope: "connector", retryMs: [minute, 5 * minute], triesMax: 1 },
    { request: "unsent", killsLink: false, blamesRange: false, isVendors: false },
    "The secret cannot be read. Allow secretsmanager:GetSecretValue on it, and kms:Decrypt on its key."
  ),
  "secret-malformed": kind(
    { scope: "connector", retryMs: [minute, 5 * minute], triesMax: 1 },
    { request: "unsent", killsLink: false, blamesRange: false, isVendors: false },
    "The secret does not hold an API key: one line of visible ASCII, or a JSON object with the named key. Store it again."
  ),
  "key-shared": kind(
    { scope: "connector", retryMs: [5 * minute, hour], triesMax: 1 },
    { request: "unsent", killsLink: false, blamesRange: false, isVendors: false },
    "A connector of another tenant uses this API key; both would get the same events. Use a key of its own, or set sharedKey on both."
  ),
  "sink-throttled": kind(
    { scope: "sink", retryMs: [2 * second, minute], triesMax: 1 },
    { request: "responded", killsLink: false, blamesRange: false, isVendors: false },
    "Firehose accepts no more records for now. Tributary tries again; ask AWS for a higher quota if it lasts."
  ),
  "sink-failed": kind(
    { scope: "connector", retryMs: [5 * second, 5 * minute], triesMax: 1 },
    { request: "responded", killsLink: false, blamesRange: false, isVendors: false },
    "Firehose refuses the records. Check the delivery stream and the function's permission to write to it."
  )
};
var failureCodes = Object.keys(failures);
function failure(code, detail, more = {}) {
  return { code, detail, ...more };
}
function isVendorsOwn(code) {
  return failures[code].isVendors;
}
function formatFailure({ code, detail, traceId }) {
  return `${detail}${traceId === void 0 ? "" : ` (trace ${traceId})`}. ${failures[code].remedy}`;
}
function backoffMs({ code, retryAfterMs = 0 }, attempt, random) {
  const [firstMs, maxMs] = failures[code].retryMs;
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(attempt - 1, doublingsMax));
  return Math.max(retryAfterMs, Math.round(full / 2 + full / 2 * random));
}
var doublingsMax = 20;
function isLasting(code, attempts) {
  return attempts >= passingAttempts || failures[code].retryMs[0] >= minute;
}
var passingAttempts = 3;

// functions/domain/stream/intervals.ts
function union2(set, more) {
  if (more.from >= more.to) return [...set];
  const before = set.filter(({ to: to2 }) => to2 < more.from);
  const after = set.filter(({ from: from2 }) => from2 > more.to);
  const met = set.filter(({ from: from2, to: to2 }) => to2 >= more.from && from2 <= more.to);
  const from = Math.min(more.from, ...met.map((interval2) => interval2.from));
  const to = Math.max(more.to, ...met.map((interval2) => interval2.to));
  return [...before, { from, to }, ...after];
}
function without(whole2, parts) {
  const left = [];
  let from = whole2.from;
  for (const part of [...parts].sort((a, b) => a.from - b.from)) {
    if (part.from >= whole2.to) break;
    if (part.from > from) left.push({ from, to: part.from });
    from = Math.max(from, part.to);
  }
  if (from < whole2.to) left.push({ from, to: whole2.to });
  return left;
}
function until(set, end2) {
  return set.filter(({ from }) => from < end2).map(({ from, to }) => ({ from, to: Math.min(to, end2) }));
}
function since(set, start) {
  return set.filter(({ to }) => to > start).map(({ from, to }) => ({ from: Math.max(from, start), to }));
}

// functions/domain/stream/seen-ids.ts
function seenClass(range2) {
  let k = 0;
  for (let width = 1; width < range2.to - range2.from; width *= 4) k += 1;
  return k;
}
function seenClassWidth(k) {
  return 4 ** k;
}

// functions/domain/stream/ledger.ts
var stepPagesMax = 5;
var pacedStepPagesMax = 20;
var pagesTargetMax = 0.7 * stepPagesMax;
var firstWidthMs = hour;
var widthGrowthMax = 8;
var setAsideMs = hour;
var watermarkMarginMs = 2 * second;
var clockErrorMaxMs = 5 * minute;
var retentionMarginMs = 2 * second;
var retentionStartMs = 2 * minute;
var lostRangesMax = 100;
var hardMax = 20;
var setAsideMax = 100;
function newStream(since2, now) {
  return {
    version: 0,
    since: since2,
    covered: [],
    lostRanges: [],
    readThrough: since2,
    widthMs: firstWidthMs,
    pagesTarget: pagesTargetMax,
    paced: false,
    setAside: [],
    nextRereadAt: now + day,
    seenClasses: {},
    counts: {
      pages: 0,
      requests: 0,
      throttled: 0,
      fetched: 0,
      delivered: 0,
      filtered: 0,
      alreadySeen: 0,
      malformed: 0,
      late: 0,
      byFilter: {}
    }
  };
}
function missing(stream, now) {
  return without({ from: stream.since, to: now }, [...stream.covered, ...stream.lostRanges]);
}
function coveredTo(stream, now) {
  return missing(stream, now)[0]?.from ?? now;
}
function openGaps(stream, now) {
  return without({ from: stream.since, to: now }, [...stream.covered, ...stream.lostRanges, ...stream.setAside]);
}
function isUnreadable(stream, now) {
  return missing(stream, now).some((gap) => stream.setAside.some((aside) => overlap(aside, gap)));
}
function watermark(readAt, policy) {
  return readAt - policy.lateMs - watermarkMarginMs - Math.min(Math.abs(policy.clockErrorMs), clockErrorMaxMs);
}
function expire(stream, now, policy, pause) {
  const end2 = now - policy.retentionMs + retentionStartMs;
  const lost = until(missing(stream, now), end2);
  const { range: range2, hard, ...rest } = stream;
  const kept = range2 === void 0 || range2.to <= end2 ? rest : { ...rest, range: range2 };
  return {
    ...kept,
    ...withoutRead(hard, { from: 0, to: end2 }),
    lostRanges: lost.reduce(
      (lostRanges, interval2) => addLostRange(lostRanges, { ...interval2, reason: lostReason(stream, interval2, pause) }),
      stream.lostRanges
    ),
    covered: until(since(stream.covered, end2), watermark(now, policy)),
    since: Math.max(stream.since, end2),
    setAside: stream.setAside.filter(({ until: until2, to }) => until2 > now && to > end2),
    seenClasses: Object.fromEntries(Object.entries(stream.seenClasses).filter(([, at]) => at > now - policy.retentionMs - day))
  };
}
function lostReason(stream, lost, pause) {
  if (stream.setAside.some((aside) => overlap(aside, lost))) return "unreadable";
  return pause !== void 0 && overlap(pause, lost) ? "paused" : "retention-limit";
}
function overlap(a, b) {
  return a.from < b.to && b.from < a.to;
}
function addLostRange(lostRanges, lostRange2) {
  const last = lostRanges.at(-1);
  const touches = last !== void 0 && last.to >= lostRange2.from && last.reason === lostRange2.reason;
  const next = touches ? [...lostRanges.slice(0, -1), { ...last, to: lostRange2.to }] : [...lostRanges, lostRange2];
  return next.slice(-lostRangesMax);
}
function beginReread(stream, now, policy) {
  if (stream.reread !== void 0 || stream.nextRereadAt > now) return stream;
  const to = floorToSecond(coveredTo(stream, now));
  const from = Math.max(stream.since, to - day);
  if (from >= to || to < watermark(now, policy) - 2 * policy.intervalMs) return stream;
  return { ...stream, reread: { from, to }, nextRereadAt: now + day };
}
function completeRange(stream, range2, receivedAt, policy) {
  const { range: _, reread, hard, ...rest } = stream;
  const aheadMs = Math.min(Math.max(0, policy.clockErrorMs), clockErrorMaxMs);
  const proven = {
    from: Math.max(range2.from, receivedAt - policy.retentionMs + retentionMarginMs + aheadMs),
    to: Math.min(range2.to, watermark(range2.readSince ?? receivedAt, policy))
  };
  const left = range2.kind === "reread" && reread !== void 0 && range2.to < reread.to ? { from: range2.to, to: reread.to } : void 0;
  const rereadLeft = range2.kind === "reread" ? left : reread;
  return {
    ...rest,
    ...rereadLeft === void 0 ? {} : { reread: rereadLeft },
    ...withoutRead(hard, range2),
    covered: range2.kind === "provisional" ? stream.covered : union2(stream.covered, proven),
    readThrough: Math.max(stream.readThrough, range2.to),
    widthMs: nextWidth(stream, range2, policy),
    pagesTarget: Math.min(pagesTargetMax, stream.pagesTarget * 1.25),
    paced: false
  };
}
function nextWidth(stream, range2, policy) {
  const width = range2.to - range2.from;
  const wanted = stream.pagesTarget * policy.pageItemsMax;
  const ideal = range2.items === 0 ? Number.POSITIVE_INFINITY : Math.floor(width * wanted / range2.items);
  const widest = Math.max(stream.widthMs, width * widthGrowthMax);
  return Math.max(1, Math.min(ideal, widest, policy.retentionMs));
}
function giveUpRange(stream, range2, now) {
  const { range: _, ...rest } = stream;
  const width = range2.to - range2.from;
  const narrower = Math.floor(Math.min(width / 2, range2.page > stepPagesMax ? width * pagesTargetMax / range2.page : width));
  const widthMs = Math.max(1, narrower);
  const given = {
    ...rest,
    widthMs,
    pagesTarget: Math.max(0.7, Math.min(pagesTargetMax, range2.page * 0.7)),
    paced: true
  };
  return width > 1 ? withHard(given, range2, widthMs) : setAsideMillisecond(given, range2, now);
}
function narrowRange(stream, range2, now) {
  const width = range2.to - range2.from;
  return width > 1 ? withHard(stream, range2, Math.floor(width / 2)) : setAsideMillisecond(stream, range2, now);
}
function isHard({ hard = [] }, range2) {
  return hard.some((place) => overlap(place, range2));
}
function withHard(stream, { from, to }, widthMs) {
  const others = (stream.hard ?? []).filter((place) => !overlap(place, { from, to }));
  return { ...stream, hard: [...others, { from, to, widthMs }].slice(-hardMax) };
}
function setAsideMillisecond(stream, { from, to }, now) {
  const until2 = now + setAsideMs;
  const last = stream.setAside.at(-1);
  const setAside = last !== void 0 && last.to === from ? [...stream.setAside.slice(0, -1), { from: last.from, to, until: until2 }] : [...stream.setAside, { from, to, until: until2 }].slice(-setAsideMax);
  const { hard, ...rest } = stream;
  const passed = withoutRead(hard, { from, to });
  return withHard({ ...rest, ...passed, setAside }, { from: to, to: to + 2 }, 1);
}
function withoutRead(hard, range2) {
  const left = (hard ?? []).flatMap((place) => {
    if (!overlap(place, range2)) return [place];
    return range2.to < place.to ? [{ ...place, from: range2.to }] : [];
  });
  return left.length === 0 ? {} : { hard: left };
}
function keepSeenClass(stream, range2, now) {
  return { ...stream, seenClasses: { ...stream.seenClasses, [seenClass(range2)]: now } };
}

// functions/domain/stream/plan.ts
function liveIsDue(stream, now, policy) {
  if (stream.range !== void 0 && isLive(stream.range.kind)) return true;
  const wantedTo = Math.min(now, policy.wantedTo);
  if (stream.readThrough < floorToSecond(Math.max(now - policy.intervalMs / 2, wantedTo))) return true;
  return tailStart(stream, now) < watermark(wantedTo, policy) && tailFits(stream, now);
}
function isLive(kind2) {
  return kind2 === "tail" || kind2 === "provisional";
}
function planLive(stream, now, policy) {
  const end2 = floorToSecond(now);
  const from = tailStart(stream, now);
  if (tailFits(stream, now)) return plan(stream, "tail", from, end2);
  return plan(stream, "provisional", Math.max(from, stream.readThrough, floorToSecond(watermark(now, policy))), end2);
}
function planGap(stream, now, policy) {
  const gap = readableGaps(stream, now, policy)[0];
  return gap === void 0 ? void 0 : plan(stream, "final", gap.from, gap.to);
}
function readableGaps(stream, now, policy) {
  const end2 = floorToSecond(watermark(now, policy));
  const gaps = until(openGaps(stream, now), end2);
  const tail = tailStart(stream, now);
  const worthwhile = Math.min(stream.widthMs, policy.intervalMs / 2);
  const wanted = watermark(policy.wantedTo, policy);
  return gaps.filter(({ from, to }) => from < tail || !tailFits(stream, now) && (to - from >= worthwhile || from < wanted));
}
function planReread(stream) {
  const next = stream.reread === void 0 ? void 0 : without(stream.reread, stream.setAside)[0];
  return next === void 0 ? void 0 : plan(stream, "reread", next.from, next.to);
}
function tailStart(stream, now) {
  return openGaps(stream, now).at(-1)?.from ?? now;
}
function tailFits(stream, now) {
  const tail = { from: tailStart(stream, now), to: now };
  return tail.to - tail.from <= stream.widthMs && !isHard(stream, tail);
}
function plan(stream, kind2, from, end2) {
  if (from >= end2) return void 0;
  const latest = Math.min(end2, from + stream.widthMs, ...(stream.hard ?? []).map((place) => easyTo(place, from)));
  const whole2 = floorToSecond(latest);
  return { kind: kind2, from, to: whole2 > from ? whole2 : latest, page: 0, items: 0 };
}
function easyTo(place, from) {
  if (place.from > from) return place.from;
  return place.to > from ? Math.min(place.to, from + place.widthMs) : Number.POSITIVE_INFINITY;
}
function askedRange(range2) {
  return { from: range2.from - 1, to: range2.to + 1 };
}

// functions/domain/status/status.ts
var daysKept = 8;
var retentionWarnMs = day;
var pendingChangesMax = 20;
var dropOffAfterDays = 6;
function newStatus(now, tenantName) {
  const tenant = tenantName === void 0 ? {} : { tenantName };
  return { state: "starting", reason: "", since: now, ...tenant, rejectedKeys: {}, problems: [], days: {}, readSteps: 0 };
}
function statusAfterRun(stored, run, report) {
  const { now, streams, policy, connector: connector2 } = report;
  const oldest = Math.min(now, ...[...streams.values()].map((stream) => coveredTo(stream, now)));
  const lastSuccess = Math.max(0, ...[...streams.values()].map((stream) => stream.lastReadAt ?? 0));
  const { lastFailure: _, trouble: __, keys: ___, oldestKeyAt: ____, ...kept } = stored;
  const next = {
    ...kept,
    ...run,
    vendor: connector2.type,
    origin: connector2.baseUrl,
    lastRunAt: now,
    lagMs: now - oldest,
    retentionLeftMs: oldest + policy.retentionMs - now,
    streamsBehind: [...streams.values()].filter((stream) => readableGaps(stream, now, policy).length > 0).length,
    lostRanges: [...streams.values()].reduce((sum, { lostRanges }) => sum + lostRanges.length, 0),
    ...lastSuccess === 0 ? {} : { lastSuccessAt: lastSuccess },
    days: countDay(stored.days, now, report.delivered)
  };
  return withState(next, judge(next, report), now);
}
function withState(status, to, now) {
  const { cause: causeBefore, ...rest } = status;
  if (to.state === status.state && sameCause(to.cause, causeBefore)) return { ...rest, ...to };
  const change = {
    from: status.state,
    to: to.state,
    reason: to.reason,
    since: now,
    ...to.cause === void 0 ? {} : { cause: to.cause },
    ...causeBefore === void 0 ? {} : { causeBefore }
  };
  const since2 = to.state === status.state ? status.since : now;
  return { ...rest, ...to, since: since2, pendingChanges: [...status.pendingChanges ?? [], change].slice(-pendingChangesMax) };
}
function withRefusedEdit(status, problems, now) {
  const [reason, before] = [problems, status.problems].map((each) => formatRefusedEdit(each).join(" "));
  if (reason === void 0 || reason === before) return status;
  const change = { from: status.state, to: status.state, reason, since: now, refusedEdit: true };
  return { ...status, problems, pendingChanges: [...status.pendingChanges ?? [], change].slice(-pendingChangesMax) };
}
function formatRefusedEdit(problems) {
  return problems.map(({ path: path2, message }) => `The last edit was refused, so the version before it stays in use: ${path2}: ${message}`);
}
function sameCause(a, b) {
  return a === b || a !== void 0 && b !== void 0 && isVendorsOwn(a) && isVendorsOwn(b);
}
function changesNotIn({ pendingChanges = [] }, sent = []) {
  return pendingChanges.filter(({ since: since2, to }) => !sent.some((change) => change.since === since2 && change.to === to));
}
function withoutSent(status, sent) {
  const { pendingChanges: _, ...rest } = status;
  const left = changesNotIn(status, sent);
  return left.length === 0 ? rest : { ...rest, pendingChanges: left };
}
function hasDroppedOff({ days }, now) {
  const delivered = (daysAgo) => days[iso(now - daysAgo * day).slice(0, 10)]?.delivered ?? 0;
  const before = Array.from({ length: dropOffAfterDays }, (_, i) => delivered(i + 2));
  return delivered(0) === 0 && delivered(1) === 0 && before.every((count2) => count2 > 0);
}
function judge(status, report) {
  const { now, streams, policy, otherConsumers } = report;
  const notes = notesOf(status, report);
  const judgement = (state2, ...first) => ({ state: state2, reason: [...first, ...notes].join(" ") });
  const { trouble, lagMs = 0, retentionLeftMs = Number.POSITIVE_INFINITY } = status;
  if (trouble !== void 0) return { ...judgement("failing", formatFailure(trouble.failure)), cause: trouble.failure.code };
  const isBehind = [...streams.values()].some((stream) => hasBacklog(stream, now, policy));
  if (isBehind && retentionLeftMs < retentionWarnMs) {
    return judgement(
      "losing-data",
      `The oldest unread events are lost in ${hoursText(retentionLeftMs)}: the vendor keeps events for ${hoursText(policy.retentionMs)}. Add a key of its own, or collect fewer streams.`
    );
  }
  const troubled = lastingTroubles(streams);
  const [worst] = troubled;
  if (worst !== void 0) {
    const reasons = troubled.slice(0, 3).map(({ id, failure: failure3 }) => `${id}: ${formatFailure(failure3)}`);
    const own = troubled.find(({ failure: failure3 }) => !isVendorsOwn(failure3.code)) ?? worst;
    return { ...judgement("failing", ...reasons), cause: own.failure.code };
  }
  if (otherConsumers !== void 0 && otherConsumers.taken > 0) return judgement("throttled");
  if ([...streams.values()].every((stream) => stream.lastReadAt === void 0)) return judgement("starting");
  return isBehind ? judgement("catching-up", `Older events are still being read; all events before ${iso(now - lagMs)} are read.`) : judgement("ok");
}
function notesOf({ problems }, { streams, unusableKeys, otherConsumers }) {
  const lateFound = [...streams.values()].reduce((sum, stream) => sum + stream.counts.late, 0);
  const throttled = otherConsumers === void 0 || otherConsumers.taken === 0 ? [] : [
    `Throttled by another consumer: about ${otherConsumers.taken} of the ${otherConsumers.limit} requests a minute go to it. Use a key of its own, or lower requestsPerMinute.`
  ];
  const late = lateFound === 0 ? [] : [`The daily re-read has found ${lateFound} events that came later than lateArrivalMinutes. Raise lateArrivalMinutes.`];
  return [...unusableKeys, ...throttled, ...late, ...formatRefusedEdit(problems)];
}
function hasBacklog(stream, now, policy) {
  return readableGaps(stream, now, policy).length > 0 || isUnreadable(stream, now) || now - stream.readThrough > policy.intervalMs * 2;
}
function lastingTroubles(streams) {
  return [...streams].flatMap(
    ([id, { trouble }]) => trouble !== void 0 && isLasting(trouble.failure.code, trouble.attempts) ? [{ id, failure: trouble.failure }] : []
  );
}
function hoursText(ms) {
  return ms < 2 * hour ? `${Math.max(0, Math.round(ms / minute))} min` : `${Math.floor(ms / hour)} h`;
}
function countDay(days, now, more) {
  const today = iso(now).slice(0, 10);
  const before = days[today] ?? { delivered: 0, filtered: 0, requests: 0, throttled: 0 };
  const summed2 = {
    delivered: before.delivered + more.delivered,
    filtered: before.filtered + more.filtered,
    requests: before.requests + more.requests,
    throttled: before.throttled + more.throttled
  };
  const kept = Object.entries({ ...days, [today]: summed2 }).sort(([a], [b]) => a < b ? -1 : 1);
  return Object.fromEntries(kept.slice(-daysKept));
}

// functions/flows/item-digest.ts
function digestItem(digest, item) {
  return digest(sortedJson(item));
}
function sortedJson(value) {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1);
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${sortedJson(inner)}`).join(",")}}`;
}

// functions/domain/status/connector-state.ts
var connectorStateTraits = {
  /** Unread events are about to pass the retention limit, or have passed it. */
  "losing-data": {
    title: "losing data",
    tone: "bad",
    collects: true,
    isProblem: true,
    isUrgent: true,
    metric: "ConnectorsLosingData",
    remedy: "Add a key of its own, or collect fewer streams, before the retention limit is reached."
  },
  /** Somebody must correct something, or the vendor has an outage. */
  failing: {
    title: "failing",
    tone: "bad",
    collects: true,
    isProblem: true,
    isUrgent: true,
    metric: "ConnectorsFailing",
    remedy: "See the reason."
  },
  /** The vendor allows fewer requests than the connector's item says. */
  throttled: {
    title: "throttled",
    tone: "warn",
    collects: true,
    isProblem: true,
    isUrgent: true,
    metric: "ConnectorsThrottled",
    remedy: "Use a key that nothing else uses, or lower requestsPerMinute."
  },
  /** The item was never accepted. */
  refused: {
    title: "refused",
    tone: "warn",
    collects: false,
    isProblem: true,
    isUrgent: false,
    metric: "ConnectorsRefused",
    remedy: "Correct the item in the connectors table; it is checked again at once."
  },
  /** Older events are still being read. */
  "catching-up": {
    title: "catching up",
    tone: "warn",
    collects: true,
    isProblem: false,
    isUrgent: true,
    metric: "ConnectorsCatchingUp",
    remedy: "Nothing, unless it lasts: then add a key of its own, or collect fewer streams."
  },
  /** Accepted, nothing read yet. */
  starting: {
    title: "starting",
    tone: "quiet",
    collects: true,
    isProblem: false,
    isUrgent: false,
    remedy: "Nothing: it is read for the first time, or anew after an edit."
  },
  /** Up to date. */
  ok: {
    title: "ok",
    tone: "good",
    collects: true,
    isProblem: false,
    isUrgent: false,
    metric: "ConnectorsOk",
    remedy: "Nothing."
  },
  /** `enabled` is false. */
  paused: {
    title: "paused",
    tone: "quiet",
    collects: false,
    isProblem: false,
    isUrgent: false,
    remedy: "Nothing. Set enabled to true to continue; events that the vendor no longer keeps by then are lost."
  },
  /** The item was deleted. */
  retired: {
    title: "retired",
    tone: "quiet",
    collects: false,
    isProblem: false,
    isUrgent: false,
    remedy: "Nothing. Write the item again within 4 days to continue where it stopped."
  }
};
var connectorStates = Object.keys(connectorStateTraits);
function traitsOfState(state2) {
  return connectorStateTraits[state2];
}
function isSwitchedOff(state2) {
  const { collects, isProblem } = traitsOfState(state2);
  return !collects && !isProblem;
}

// functions/domain/status/notifications.ts
function changeNotification(connector2, change) {
  const { from, to, reason, since: since2, cause, refusedEdit } = change;
  const { connectorId, tenantName, vendor } = connector2;
  const remedy = refusedEdit === true ? traitsOfState("refused").remedy : cause === void 0 ? traitsOfState(to).remedy : failures[cause].remedy;
  const what = refusedEdit === true ? `${to}, but an edit was refused at` : `${from} → ${to} since`;
  const detail = {
    attention: attentionOf(change),
    summary: `Connector ${connectorId} of ${tenantName}: ${what} ${iso(since2)}. ${reason === "" ? remedy : reason}`,
    vendor,
    tenantName,
    connectorId,
    from,
    to,
    reason,
    since: iso(since2),
    remedy,
    ...cause === void 0 ? {} : { cause }
  };
  return { type: "Connector State Changed", detail };
}
function attentionOf({ from, to, cause, causeBefore, refusedEdit }) {
  if (refusedEdit === true) return "problem";
  if (traitsOfState(to).isProblem) return cause !== void 0 && isVendorsOwn(cause) ? "none" : "problem";
  if (!traitsOfState(from).isProblem || isSwitchedOff(to) || to === "starting" && from !== "refused") return "none";
  return causeBefore !== void 0 && isVendorsOwn(causeBefore) ? "none" : "recovery";
}
function outageNotification({ vendor, origin, since: since2, reason }, until2) {
  const remedy = "Nothing, unless it lasts for hours: then ask the vendor. Missed events are read when the vendor responds again.";
  const shared = { vendor, origin, since: iso(since2), reason, remedy };
  if (until2 === void 0) {
    const summary2 = `${origin} (${vendor}) has failed since ${iso(since2)}: ${reason} ${remedy}`;
    return { type: "Vendor Outage Began", detail: { attention: "problem", summary: summary2, ...shared } };
  }
  const summary = `${origin} (${vendor}) responds again, seen at ${iso(until2)}; it had failed since ${iso(since2)}. Missed events are being read.`;
  return { type: "Vendor Outage Ended", detail: { attention: "recovery", summary, ...shared, until: iso(until2) } };
}

// functions/flows/notify-changes.ts
var overdueMs = 2 * minute;
async function notifyChanges(ports, connectorId, update) {
  const { state: state2, bus, log } = ports;
  if (update === void 0) return;
  const changes = changesNotIn(update.after, update.before?.pendingChanges);
  if (changes.length === 0) return;
  const { tenantName = "unknown", vendor = "unknown", origin } = update.after;
  try {
    const notifications = changes.map((change) => changeNotification({ connectorId, tenantName, vendor }, change));
    const outage = changes.find(({ to, cause }) => to === "failing" && cause !== void 0 && isVendorsOwn(cause));
    if (outage?.cause !== void 0 && origin !== void 0) {
      const { cause, reason, since: since2 } = outage;
      await beginOutage(ports, { vendor, origin, cause, reason, since: since2, sent: false });
    }
    await bus.put(notifications);
    await state2.updateStatus(connectorId, (before) => before === void 0 ? void 0 : withoutSent(before, changes));
  } catch (error) {
    const message = "The notification about its change of state was not sent. The next measurement of the fleet tries again.";
    log({ level: "warn", event: "change-pending", connectorId, message, error });
  }
}
async function beginOutage(ports, outage) {
  if (await ports.state.beginOutage(outage)) await notifyOutage(ports, outage);
}
async function notifyOutage({ bus, state: state2 }, outage) {
  await bus.put([outageNotification(outage)]);
  await state2.outageSent(outage);
}

// functions/flows/open-keys.ts
var usersKeptMs = 2 * day;
async function openKey(ports, connector2, reference, now, options = {}) {
  const secret = await ports.secrets.read(reference, options);
  if (!secret.ok) return secret;
  const hashKey = await ports.state.fingerprintKey(ports.newFingerprintKey());
  const fingerprint = ports.keyedDigest(hashKey, secret.value.apiKey).slice(0, 32);
  const users = await ports.state.registerKeyUser(fingerprint, keyUser(connector2, now), now);
  const otherTenant = users.find((user) => user.tenantName !== connector2.tenantName && !(user.sharedKey && connector2.sharedKey));
  if (otherTenant !== void 0) {
    await ports.state.forgetKeyUser(fingerprint, connector2.connectorId);
    return failed(sharedWith(reference, otherTenant));
  }
  const limiters = [limiterRefOf(fingerprint, users)];
  if (connector2.rateGroup !== void 0) {
    const group = `GROUP:${ports.digest(`${connector2.type}
${connector2.rateGroup}`).slice(0, 32)}`;
    limiters.unshift(limiterRefOf(group, await ports.state.registerKeyUser(group, keyUser(connector2, now), now)));
  }
  return ok({ reference, ...secret.value, fingerprint, limiters });
}
async function openKeys(ports, connector2, now) {
  const keys = [];
  const failures2 = [];
  for (const reference of connector2.apiKeySecrets) {
    const opened = await openKey(ports, connector2, reference, now);
    if (!opened.ok) failures2.push(opened.failure);
    else if (!keys.some(({ fingerprint }) => fingerprint === opened.value.fingerprint)) keys.push(opened.value);
  }
  return { keys, failures: failures2 };
}
async function closeKeys(ports, connector2, now) {
  const { keys } = await openKeys(ports, connector2, now);
  for (const { limiters } of keys) {
    for (const { bucket } of limiters) await ports.state.forgetKeyUser(bucket, connector2.connectorId);
  }
}
function secretText({ secretName, jsonKey }) {
  return jsonKey === void 0 ? secretName : `${secretName}#${jsonKey}`;
}
function keyUser(connector2, now) {
  return {
    connectorId: connector2.connectorId,
    tenantName: connector2.tenantName,
    sharedKey: connector2.sharedKey,
    requestsPerMinute: connector2.requestsPerMinute,
    ...connector2.requestsPerDay === void 0 ? {} : { requestsPerDay: connector2.requestsPerDay },
    until: now + usersKeptMs
  };
}
function limiterRefOf(bucket, users) {
  const perDay = users.flatMap(({ requestsPerDay }) => requestsPerDay === void 0 ? [] : [requestsPerDay]);
  return {
    bucket,
    limit: Math.min(...users.map(({ requestsPerMinute }) => requestsPerMinute)),
    ...perDay.length === 0 ? {} : { perDay: Math.min(...perDay) }
  };
}
function sharedWith(reference, { connectorId }) {
  return failure("key-shared", `Connector ${connectorId} of another tenant uses the API key in ${secretText(reference)} as well`);
}

// functions/flows/accept-connector.ts
var writesMax = 5;
async function acceptConnector(ports, policy, connectorId, item) {
  const { state: state2, clock, digest } = ports;
  for (let write = 0; write < writesMax; write++) {
    const before = await state2.readAccepted(connectorId);
    const checked = await check(ports, policy, item, before?.connector);
    if (!checked.ok) return refuse(ports, connectorId, item, checked.problems, before);
    const after = acceptance(checked.connector, digestItem(digest, item), before, ports.vendors, clock.now());
    if (before !== void 0 && before.retiredAt === void 0 && before.itemDigest === after.itemDigest) return confirm(ports, after);
    if (await state2.writeAccepted(after, before)) return begin(ports, after, before);
  }
  throw new Error(`Other writers changed the acceptance of connector ${connectorId} ${writesMax} times in a row.`);
}
async function check(ports, policy, item, before) {
  const parsed = parseConnector(item, { ...policy, vendors: ports.vendors });
  if (!parsed.ok) return parsed;
  const changed = before === void 0 ? [] : immutableProblems(before, parsed.connector);
  if (changed.length > 0) return { ok: false, problems: changed };
  const { failures: failures2 } = await openKeys(ports, parsed.connector, ports.clock.now());
  const shared = failures2.filter(({ code }) => code === "key-shared");
  if (shared.length === 0) return parsed;
  return { ok: false, problems: shared.map((failure3) => ({ path: "apiKeySecrets", message: formatFailure(failure3) })) };
}
function acceptance(connector2, itemDigest, before, vendors2, now) {
  const streams = vendors2.get(connector2.type)?.streams(connector2) ?? [];
  const streamsSince = { ...before?.streamsSince };
  for (const stream of streams) streamsSince[stream] ??= now;
  const lastPause = pauseOf(connector2, before, now);
  return { connector: connector2, itemDigest, acceptedAt: now, streamsSince, ...lastPause === void 0 ? {} : { lastPause } };
}
function pauseOf(connector2, before, now) {
  const offSince = before?.lastPause !== void 0 && before.lastPause.to === void 0 ? before.lastPause.from : before?.retiredAt;
  if (connector2.enabled) return offSince === void 0 ? before?.lastPause : { from: offSince, to: now };
  return { from: offSince ?? now };
}
async function begin(ports, accepted, before) {
  const { state: state2, log } = ports;
  const { connector: connector2, acceptedAt: now } = accepted;
  const { connectorId } = connector2;
  await updateStatus(ports, connector2, now, "changed");
  await leaveKeys(ports, before?.connector, connector2, now);
  const message = before === void 0 ? "The connector is new" : "The connector was changed";
  log({ level: "info", event: "connector-accepted", connectorId, message });
  if (connector2.enabled) await makeDue(ports, connectorId, now);
  else await state2.removeDue(connectorId);
}
async function confirm(ports, { connector: connector2, acceptedAt: now }) {
  const { connectorId, enabled } = connector2;
  await updateStatus(ports, connector2, now, "unchanged");
  if (enabled && (await ports.state.readRun(connectorId)).due === void 0) await makeDue(ports, connectorId, now);
}
async function makeDue({ state: state2, queue }, connectorId, now) {
  await state2.makeDue(connectorId, now, floorToSecond(now));
  await queue.send(connectorId, 0);
}
async function updateStatus(ports, connector2, now, item) {
  const { connectorId } = connector2;
  const updated = await ports.state.updateStatus(connectorId, (status) => acceptedStatus(status, connector2, now, item));
  await notifyChanges(ports, connectorId, updated);
}
function acceptedStatus(status, connector2, now, item) {
  const { trouble, ...stored } = status ?? newStatus(now, connector2.tenantName);
  const backoffs = item === "changed" ? { rejectedKeys: {} } : { rejectedKeys: stored.rejectedKeys, ...trouble === void 0 ? {} : { trouble } };
  const { tenantName, type: vendor, baseUrl: origin } = connector2;
  const next = { ...stored, ...backoffs, tenantName, vendor, origin, problems: [] };
  if (!connector2.enabled) return withState(next, { state: "paused", reason: "enabled is false, so nothing is collected." }, now);
  if (item === "unchanged" && status !== void 0 && status.state !== "refused") return next;
  return withState(next, { state: "starting", reason: "" }, now);
}
async function leaveKeys(ports, before, after, now) {
  const kept = new Set(after.apiKeySecrets.map(secretText));
  const left = before?.apiKeySecrets.filter((reference) => !kept.has(secretText(reference))) ?? [];
  if (before === void 0 || left.length === 0) return;
  await closeKeys(ports, { ...before, apiKeySecrets: left }, now);
  await openKeys(ports, after, now);
}
async function refuse(ports, connectorId, item, problems, before) {
  const { state: state2, clock, log, vendors: vendors2 } = ports;
  const now = clock.now();
  const keepsAccepted = before !== void 0 && before.retiredAt === void 0;
  const message = problems.map((problem) => `${problem.path}: ${problem.message}`).join(" ");
  const tenantName = typeof item["tenantName"] === "string" ? item["tenantName"].slice(0, tenantNameLengthMax) : void 0;
  const vendor = typeof item["type"] === "string" && vendors2.has(item["type"]) ? { vendor: item["type"] } : {};
  const refused = await state2.updateStatus(connectorId, (status) => {
    const stored = { ...vendor, ...status ?? newStatus(now, tenantName) };
    if (keepsAccepted) return withRefusedEdit(stored, problems, now);
    return withState({ ...stored, problems }, { state: "refused", reason: `The item was not accepted. ${message}` }, now);
  });
  log({ level: "warn", event: "connector-refused", connectorId, message, keepsAccepted });
  await notifyChanges(ports, connectorId, refused);
}
var tenantNameLengthMax = 128;

// functions/flows/retire-connector.ts
async function retireConnector(ports, connectorId) {
  const { state: state2, clock, log } = ports;
  const before = await state2.readAccepted(connectorId);
  const now = clock.now();
  if (before !== void 0 && before.retiredAt === void 0) {
    if (!await state2.writeAccepted({ ...before, retiredAt: now }, before)) return;
    await closeKeys(ports, before.connector, now);
    log({ level: "info", event: "connector-retired", connectorId, message: "The item was deleted" });
  }
  await state2.removeDue(connectorId);
  const reason = "The item was deleted. An item with the same id, written within 4 days, resumes where this one stopped.";
  const retired = await state2.updateStatus(connectorId, (status) => ({
    ...withState(status ?? newStatus(now), { state: "retired", reason }, now),
    problems: []
  }));
  await notifyChanges(ports, connectorId, retired);
}

// functions/flows/reconcile-connectors.ts
async function reconcileConnectors(ports, policy, items) {
  const { state: state2, digest, log } = ports;
  const running = /* @__PURE__ */ new Set();
  for await (const { connectorId, status } of state2.fleet()) if (hasRun(status)) running.add(connectorId);
  const accepted = /* @__PURE__ */ new Map();
  for await (const { connector: connector2, itemDigest, retiredAt } of state2.allAccepted()) {
    if (retiredAt === void 0) accepted.set(connector2.connectorId, itemDigest);
  }
  const present = /* @__PURE__ */ new Set();
  for await (const item of items) {
    const connectorId = item["connectorId"];
    if (typeof connectorId !== "string") continue;
    present.add(connectorId);
    if (running.has(connectorId) && accepted.get(connectorId) === digestItem(digest, item)) continue;
    try {
      await acceptConnector(ports, policy, connectorId, item);
    } catch (error) {
      const message = "The item could not be checked. The next hourly comparison tries again.";
      log({ level: "error", event: "acceptance-failed", connectorId, message, error });
    }
  }
  for (const connectorId of accepted.keys()) {
    if (!present.has(connectorId)) await retireConnector(ports, connectorId);
  }
}
function hasRun({ problems, state: state2 }) {
  return problems.length === 0 && state2 !== "refused" && state2 !== "starting";
}

// functions/domain/stream/schedule.ts
var gapStepEvery = 5;
var liveWaitMaxMs = 65 * second;
var gapWaitMaxMs = 15 * second;
function nextStep(streams, readSteps, now, policy) {
  const ready = [...streams].filter(([, stream]) => stream.trouble === void 0 || stream.trouble.until <= now);
  const edge = best(ready, (stream) => liveIsDue(stream, now, policy) ? lastReadForOrder(stream) : void 0);
  const live = stepOf(edge, (stream) => planLive(stream, now, policy), liveWaitMaxMs);
  const unpaced = ready.filter(([, { paced }]) => !paced);
  const oldestGap = (candidates) => best(candidates, (stream) => gapStart(stream, now, policy));
  const gap = stepOf(
    (readSteps % 2 === 0 ? oldestGap(unpaced) : void 0) ?? oldestGap(ready),
    (stream) => planGap(stream, now, policy),
    gapWaitMaxMs
  );
  const reread = best(ready, (stream) => stream.range?.kind === "reread" ? stream.range.from : planReread(stream)?.from);
  const first = readSteps % gapStepEvery === gapStepEvery - 1 ? gap ?? live : live ?? gap;
  return first ?? stepOf(reread, planReread, gapWaitMaxMs);
}
function stepOf(chosen, plan2, waitMaxMs) {
  if (chosen === void 0) return void 0;
  const [id, stream] = chosen;
  const range2 = stream.range ?? plan2(stream);
  return range2 === void 0 ? void 0 : { stream: id, range: range2, waitMaxMs: stream.paced ? liveWaitMaxMs : waitMaxMs };
}
function lastReadForOrder({ paced, readThrough, lastReadAt = 0 }) {
  return paced ? Math.max(readThrough, lastReadAt) : readThrough;
}
function gapStart(stream, now, policy) {
  if (stream.range !== void 0) return stream.range.kind === "final" ? stream.range.from : void 0;
  return readableGaps(stream, now, policy)[0]?.from;
}
function best(entries, rank) {
  let min = Number.POSITIVE_INFINITY;
  let chosen;
  for (const entry of entries) {
    const value = rank(entry[1]);
    if (value !== void 0 && value < min) {
      min = value;
      chosen = entry;
    }
  }
  return chosen;
}
function nextPhaseTime(phase, intervalMs, now) {
  const offset = Math.floor(phase * intervalMs);
  return Math.floor((now - offset) / intervalMs + 1) * intervalMs + offset;
}

// functions/flows/collect/key-pool.ts
var KeyPool = class _KeyPool {
  ports;
  connector;
  keys;
  rejected;
  /** Why keys could not be opened. */
  failures;
  /** Keys without a token to spare, by fingerprint, and until when. */
  busyUntil = /* @__PURE__ */ new Map();
  /** Secrets that this run has read without the cache. */
  secretsReadAgain = /* @__PURE__ */ new Set();
  openedStatus;
  /** Opens every key of the connector, except those that back off after a rejection. */
  static async open(ports, connector2, rejectedBefore) {
    return new _KeyPool(ports, connector2, await openKeys(ports, connector2, ports.clock.now()), rejectedBefore);
  }
  constructor(ports, connector2, { keys, failures: failures2 }, rejectedBefore) {
    this.ports = ports;
    this.connector = connector2;
    this.failures = failures2;
    const fingerprints = new Set(keys.map(({ fingerprint }) => fingerprint));
    this.rejected = Object.fromEntries(Object.entries(rejectedBefore).filter(([fingerprint]) => fingerprints.has(fingerprint)));
    const now = ports.clock.now();
    this.keys = keys.filter(({ fingerprint }) => (this.rejected[fingerprint]?.until ?? 0) <= now);
    const storedAt = keys.flatMap((key) => key.storedAt ?? []);
    this.openedStatus = {
      keys: this.keys.map(({ fingerprint }) => fingerprint),
      ...storedAt.length === 0 ? {} : { oldestKeyAt: Math.min(...storedAt) }
    };
  }
  get all() {
    return this.keys;
  }
  /** The attributes of the connector's status that are about its keys. */
  get status() {
    return { ...this.openedStatus, rejectedKeys: this.rejected };
  }
  /** Why the pool is empty. */
  whyEmpty(lastFailure) {
    if (this.failures[0] !== void 0) return this.failures[0];
    return lastFailure?.code === "unauthorized" ? lastFailure : failure("unauthorized", "The vendor rejected every key of this connector");
  }
  /** One sentence for each problem of a part of the pool, for people. */
  notes() {
    const all = this.connector.apiKeySecrets.length;
    const rejected = Math.min(Object.keys(this.rejected).length, all);
    return [
      ...rejected > 0 && all > 1 ? [`${rejected} of ${all} keys rejected by the vendor (401): store a new one in its secret.`] : [],
      ...this.keys.length > 0 ? this.failures.map(formatFailure) : []
    ];
  }
  /** A range stays with its key. A new range goes to the next key that is not busy, round robin. */
  choose(fingerprint, readSteps, now) {
    const own = this.keys.find((key) => key.fingerprint === fingerprint);
    if (own !== void 0) return own;
    const free = this.keys.filter((key) => !this.isBusy(key.fingerprint, now));
    return free[readSteps % Math.max(1, free.length)];
  }
  isBusy(fingerprint, now) {
    return (this.busyUntil.get(fingerprint) ?? 0) > now;
  }
  hasAnother(key, now) {
    return this.keys.some(({ fingerprint }) => fingerprint !== key.fingerprint && !this.isBusy(fingerprint, now));
  }
  markBusy(key, until2) {
    this.busyUntil.set(key.fingerprint, until2);
  }
  /** When the first key becomes free, if all are busy. */
  allBusyUntil(now) {
    if (!this.keys.every(({ fingerprint }) => this.isBusy(fingerprint, now))) return void 0;
    return Math.min(...this.keys.map(({ fingerprint }) => this.busyUntil.get(fingerprint) ?? now));
  }
  /** When the first of the busy keys becomes free. */
  firstFreeAt(now) {
    const busy = [...this.busyUntil.values()].filter((until2) => until2 > now);
    return busy.length === 0 ? void 0 : Math.min(...busy);
  }
  /** The vendor accepted the key. */
  accept({ fingerprint }) {
    const { [fingerprint]: _, ...others } = this.rejected;
    this.rejected = others;
  }
  /**
   * The vendor rejected the key. If its secret holds a new key already, that one replaces it. Otherwise the key backs off, and the others
   * go on. If no key is left, it returns when the key may be tried again.
   */
  async reject(key, why) {
    const { clock, log, random } = this.ports;
    const now = clock.now();
    const secret = secretText(key.reference);
    const replacement = await this.readSecretAgain(key, now);
    if (replacement !== void 0) {
      this.keys = [replacement, ...this.without(key, replacement)];
      return void 0;
    }
    const attempts = (this.rejected[key.fingerprint]?.attempts ?? 0) + 1;
    const until2 = now + backoffMs({ code: why.code }, attempts, random());
    this.rejected = { ...this.rejected, [key.fingerprint]: { at: now, until: until2, attempts } };
    log({
      level: "error",
      event: "key-rejected",
      connectorId: this.connector.connectorId,
      message: `${secret}: ${formatFailure(why)}`
    });
    this.keys = this.without(key);
    return this.keys.length > 0 ? void 0 : until2;
  }
  /** The key that its secret holds now, if it is another one. A run reads each secret at most once without the cache. */
  async readSecretAgain(key, now) {
    const secret = secretText(key.reference);
    if (this.secretsReadAgain.has(secret)) return void 0;
    this.secretsReadAgain.add(secret);
    const reopened = await openKey(this.ports, this.connector, key.reference, now, { bypassCache: true });
    return reopened.ok && reopened.value.fingerprint !== key.fingerprint ? reopened.value : void 0;
  }
  without(...keys) {
    return this.keys.filter(({ fingerprint }) => !keys.some((key) => key.fingerprint === fingerprint));
  }
};

// functions/domain/token-bucket.ts
var windowMs = minute + 1;
var clocksApartMs = second;
var tokenUseWithinMs = 10 * second;
var requestTimeoutMs = 30 * second;
var unreleasedMs = tokenUseWithinMs + requestTimeoutMs + windowMs + clocksApartMs;
var closureMaxMs = 30 * minute;
var retryAfterMaxMs = hour;
var probeFirstMs = hour;
var probeMaxMs = day;
function newBucket(limit) {
  return {
    version: 0,
    limit,
    learnedLimit: limit,
    closedUntil: 0,
    cutAt: 0,
    closureMs: 0,
    probeAt: 0,
    probeAfterMs: probeFirstMs,
    raiseAt: 0,
    tokens: [],
    hours: {}
  };
}
function withLimit(bucket, limit) {
  if (limit === bucket.limit) return bucket;
  const { refusedLevel: _, ...rest } = bucket;
  return limit < bucket.learnedLimit ? { ...bucket, limit, learnedLimit: limit } : { ...rest, limit, learnedLimit: limit };
}
function takeToken(bucket, request) {
  const { now, by } = request;
  const clock = clockOf(by);
  const freeAt = (token2) => token2.released && clockOf(token2.by) !== clock ? token2.at + clocksApartMs : token2.at;
  const counting = bucket.tokens.filter((token2) => freeAt(token2) > now).sort((a, b) => freeAt(a) - freeAt(b));
  const surplus = counting.length - bucket.learnedLimit;
  const former = surplus < 0 ? void 0 : counting[surplus];
  if (former !== void 0 && !former.released) {
    return { kind: "none", freeAt: Math.max(now + second, former.at - tokenUseWithinMs - requestTimeoutMs) };
  }
  const earliest = Math.max(now, former === void 0 ? 0 : freeAt(former), bucket.closedUntil, request.notBefore ?? 0);
  const goAt = request.perDay === void 0 ? earliest : dayFreeAt(bucket.hours, request.perDay, earliest);
  const grant = { by, goAt, cutAt: bucket.cutAt };
  const token = { at: goAt + unreleasedMs, by, released: false };
  return {
    kind: "taken",
    grant,
    bucket: { ...bucket, tokens: [...counting, token], hours: countHour(bucket.hours, goAt, 1) }
  };
}
function postponeToken(bucket, grant, goAt) {
  const tokens = bucket.tokens.map((token) => token.by === grant.by ? { ...token, at: goAt + unreleasedMs } : token);
  return { bucket: { ...bucket, tokens }, grant: { ...grant, goAt } };
}
function releaseToken(bucket, release) {
  const { grant } = release;
  if (release.outcome === "unsent") {
    const mine = bucket.tokens.some((token) => token.by === grant.by);
    if (!mine) return bucket;
    const tokens = bucket.tokens.filter((token) => token.by !== grant.by);
    return { ...bucket, tokens, hours: countHour(bucket.hours, grant.goAt, -1) };
  }
  const { receivedAt } = release;
  const released = { at: receivedAt + windowMs, by: grant.by, released: true };
  const kept = { ...bucket, tokens: bucket.tokens.map((token) => token.by === grant.by ? released : token) };
  return release.outcome === "responded" ? learnFromResponse(kept, receivedAt) : learnFromRefusal(kept, release);
}
function learnFromResponse(bucket, at) {
  const { learnedLimit, limit, refusedLevel } = bucket;
  const calm = bucket.closureMs === 0 ? bucket : { ...bucket, closureMs: 0 };
  if (at < calm.raiseAt) return calm;
  if (refusedLevel !== void 0 && learnedLimit >= refusedLevel) {
    const { refusedLevel: _, ...proven } = calm;
    return { ...proven, probeAfterMs: probeFirstMs };
  }
  const ceiling = refusedLevel === void 0 ? limit : at >= calm.probeAt ? refusedLevel : Math.max(1, refusedLevel - 1);
  return learnedLimit < ceiling ? { ...calm, learnedLimit: learnedLimit + 1, raiseAt: at + minute } : calm;
}
function learnFromRefusal(bucket, refusal) {
  const { receivedAt, random, grant } = refusal;
  const wished = refusal.retryAfterMs === void 0 ? windowMs : Math.min(refusal.retryAfterMs, retryAfterMaxMs);
  if (grant.cutAt !== bucket.cutAt) return { ...bucket, closedUntil: Math.max(bucket.closedUntil, receivedAt + wished) };
  const { learnedLimit, refusedLevel } = bucket;
  const probed = learnedLimit === refusedLevel;
  const closureMs = learnedLimit === 1 ? Math.min(closureMaxMs, Math.max(windowMs, bucket.closureMs * 2)) : 0;
  const closedUntil = Math.max(bucket.closedUntil, receivedAt + Math.max(wished, Math.round(closureMs * (1 + random / 10))));
  const probeAfterMs = probed ? Math.min(probeMaxMs, bucket.probeAfterMs * 2) : probeFirstMs;
  return {
    ...bucket,
    learnedLimit: probed ? Math.max(1, learnedLimit - 1) : Math.max(1, Math.floor(learnedLimit / 2)),
    closedUntil,
    cutAt: receivedAt,
    closureMs,
    refusedLevel: learnedLimit,
    probeAfterMs,
    probeAt: receivedAt + probeAfterMs,
    raiseAt: closedUntil + minute
  };
}
function takenByOtherConsumers(bucket) {
  return bucket.refusedLevel === void 0 ? 0 : bucket.limit - Math.max(1, bucket.refusedLevel - 1);
}
function clockOf(by) {
  return by.slice(0, by.lastIndexOf(":"));
}
function dayFreeAt(hours, perDay, at) {
  const first = Math.floor(at / hour);
  for (let h = first; h <= first + 25; h++) {
    if (sumOfDay(hours, h) < perDay) return Math.max(at, h * hour);
  }
  return at + day;
}
function sumOfDay(hours, h) {
  return Object.entries(hours).reduce((sum, [of, count2]) => Number(of) >= h - 24 && Number(of) <= h ? sum + count2 : sum, 0);
}
function countHour(hours, at, by) {
  const h = Math.floor(at / hour);
  const kept = Object.entries(hours).filter(([of]) => Number(of) >= h - 25);
  return { ...Object.fromEntries(kept), [h]: Math.max(0, (hours[h] ?? 0) + by) };
}

// functions/flows/collect/rate-limiter.ts
var writesMax2 = 200;
var RateLimiter = class {
  ports;
  /** Releases that no write has carried yet, by bucket. */
  unwritten = /* @__PURE__ */ new Map();
  buckets = /* @__PURE__ */ new Map();
  waited = 0;
  constructor(ports) {
    this.ports = ports;
  }
  /** The sum of all waits so far (ms). */
  get waitedMs() {
    return this.waited;
  }
  /** The bucket as this run last read or wrote it; nothing if it did neither. */
  lastSeen(bucket) {
    return this.buckets.get(bucket);
  }
  /**
   * Takes one token of every limiter and waits until they may be used, at most `waitMaxMs`. Otherwise it takes none, and returns
   * when it is worth trying again. `beforeWaiting` is called before each wait of a second or more, and may call it off.
   */
  async admit(refs, options) {
    const { clock, stop } = this.ports;
    const { waitMaxMs, notBefore = 0, beforeWaiting } = options;
    const latest = clock.now() + waitMaxMs;
    for (; ; ) {
      const taken = await this.takeAll(refs, latest, notBefore);
      const until2 = taken.kind === "go" ? taken.permit.goAt : taken.freeAt;
      if (taken.kind === "wait" && until2 > latest) return taken;
      const isLong = until2 - clock.now() >= second;
      if (isLong && beforeWaiting !== void 0 && !await beforeWaiting(until2)) {
        this.giveBack(taken);
        return { kind: "called-off" };
      }
      await this.wait(until2);
      if (stop.aborted) {
        this.giveBack(taken);
        return { kind: "wait", freeAt: until2 };
      }
      if (taken.kind === "go" && clock.now() <= until2 + tokenUseWithinMs) return taken;
      this.giveBack(taken);
    }
  }
  /** Records the outcome of a request. It is written with the next take of the same limiter, or by `flush`. */
  release({ grants }, outcome) {
    for (const { ref, grant } of grants) {
      const releases = this.unwritten.get(ref.bucket)?.releases ?? [];
      this.unwritten.set(ref.bucket, { ref, releases: [...releases, { grant, ...outcome }] });
    }
  }
  /** Writes every release that no take has carried. */
  async flush() {
    for (const { ref, releases } of this.unwritten.values()) {
      if (releases.length > 0) await this.update(ref, (bucket) => ({ bucket, result: void 0 }));
    }
  }
  /** Returns at `until`, or at once when the process must end. */
  async wait(until2) {
    const { clock, stop } = this.ports;
    const from = clock.now();
    if (!stop.aborted) await sleepOrStop(this.ports, until2);
    this.waited += Math.max(0, clock.now() - from);
  }
  giveBack(taken) {
    if (taken.kind === "go") this.release(taken.permit, { outcome: "unsent" });
  }
  async takeAll(refs, latest, notBefore) {
    const grants = [];
    let goAt = notBefore;
    for (const ref of refs) {
      const taken = await this.take(ref, latest, goAt);
      if ("freeAt" in taken) {
        this.release({ goAt, grants }, { outcome: "unsent" });
        return { kind: "wait", freeAt: taken.freeAt };
      }
      grants.push({ ref, grant: taken.grant });
      goAt = Math.max(goAt, taken.grant.goAt);
    }
    for (const held of grants) {
      if (held.grant.goAt < goAt) held.grant = await this.postpone(held.ref, held.grant, goAt);
    }
    return { kind: "go", permit: { goAt, grants } };
  }
  take(ref, latest, notBefore) {
    const { clock, process, nextNumber } = this.ports;
    const by = `${process}:${nextNumber()}`;
    return this.update(ref, (bucket) => {
      const perDay = ref.perDay === void 0 ? {} : { perDay: ref.perDay };
      const now = clock.now();
      const taken = takeToken(bucket, { now, by, notBefore, ...perDay });
      if (taken.kind === "none") return { result: { freeAt: taken.freeAt } };
      if (taken.grant.goAt > Math.max(latest, now)) return { result: { freeAt: taken.grant.goAt } };
      return { bucket: taken.bucket, result: { grant: taken.grant } };
    });
  }
  postpone(ref, grant, goAt) {
    return this.update(ref, (bucket) => {
      const postponed = postponeToken(bucket, grant, goAt);
      return { bucket: postponed.bucket, result: postponed.grant };
    });
  }
  /** Reads the bucket, applies the pending releases and `change`, and writes it. If another run wrote it meanwhile, it starts over. */
  async update(ref, change) {
    const { state: state2 } = this.ports;
    for (let write = 0; write < writesMax2; write++) {
      const stored = await state2.readTokens(ref.bucket) ?? newBucket(ref.limit);
      const releases = this.unwritten.get(ref.bucket)?.releases ?? [];
      const released = releases.reduce(releaseToken, withLimit(stored, ref.limit));
      const { bucket, result } = change(released);
      if (bucket === void 0) {
        this.buckets.set(ref.bucket, released);
        return result;
      }
      const next = { ...bucket, version: stored.version + 1 };
      if (!await state2.writeTokens(ref.bucket, next)) continue;
      this.buckets.set(ref.bucket, next);
      const later = (this.unwritten.get(ref.bucket)?.releases ?? []).filter((release) => !releases.includes(release));
      this.unwritten.set(ref.bucket, { ref, releases: later });
      return result;
    }
    throw new Error(`Other runs changed the limiter ${ref.bucket} ${writesMax2} times in a row.`);
  }
};
function sleepOrStop({ clock, stop }, until2) {
  return new Promise((resolve, reject) => {
    const end2 = () => resolve();
    stop.addEventListener("abort", end2, { once: true });
    const asleep = clock.sleepUntil(until2).finally(() => stop.removeEventListener("abort", end2));
    asleep.then(end2, reject);
  });
}

// functions/domain/stream/counts.ts
function counted(of) {
  return {
    pages: of("pages"),
    requests: of("requests"),
    throttled: of("throttled"),
    fetched: of("fetched"),
    delivered: of("delivered"),
    filtered: of("filtered"),
    alreadySeen: of("alreadySeen"),
    malformed: of("malformed"),
    late: of("late")
  };
}
function sumOfCounts(counts) {
  return counted((name) => counts.reduce((sum, each) => sum + each[name], 0));
}
function countsSince(before, now) {
  return counted((name) => now[name] - (before?.[name] ?? 0));
}
function addCounts(before, more) {
  const byFilter = { ...before.byFilter };
  for (const [name, count2] of Object.entries(more.byFilter ?? {})) byFilter[name] = (byFilter[name] ?? 0) + count2;
  return { ...counted((name) => before[name] + (more[name] ?? 0)), byFilter };
}
function eventValues({ delivered, filtered, alreadySeen, malformed, late }) {
  return {
    EventsDelivered: delivered,
    EventsFiltered: filtered,
    EventsDuplicate: alreadySeen,
    EventsMalformed: malformed,
    EventsLate: late
  };
}

// functions/domain/stream/reading.ts
var linkTriesMax = 5;
var rangeTriesMax = 3;
var rangePagesMax = 100;
var narrowestRangePagesMax = 2e3;
function beginReading(before, planned, key) {
  const { lease: _, range: begun, ...stream } = before;
  const { kind: kind2, from, to } = planned;
  const range2 = planned.key === void 0 || planned.key === key ? planned : { kind: kind2, from, to, page: 0, items: 0 };
  return { range: range2, stream: begun === void 0 || range2.page === 0 ? stream : { ...stream, range: begun } };
}
function countRequest(stream, why) {
  const isThrottled = why !== void 0 && failures[why.code].request === "throttled";
  return { ...stream, counts: addCounts(stream.counts, { requests: 1, throttled: isThrottled ? 1 : 0 }) };
}
function afterPage(stream, range2, page, { policy, linksRead, now }) {
  const { requestedAt, receivedAt, nextLink, key } = page;
  const clockErrorMs = page.clockErrorMs === void 0 ? {} : { clockErrorMs: page.clockErrorMs };
  const { trouble: _, ...before } = stream;
  const counted2 = { ...before, counts: addCounts(before.counts, page.counts), lastReadAt: receivedAt };
  const { kind: kind2, from, to, readSince = requestedAt } = range2;
  const link = nextLink === void 0 ? {} : { nextLink };
  const read = { kind: kind2, from, to, key, readSince, page: range2.page + 1, items: range2.items + page.items, ...link };
  const log = [pageRead(range2, page)];
  const progress = { kind: "progress", ...clockErrorMs };
  if (nextLink === void 0) {
    return { stream: completeRange(counted2, read, receivedAt, { ...policy, ...clockErrorMs }), outcome: progress, log };
  }
  const endless = endlessLinks(read, nextLink === range2.nextLink || linksRead.has(nextLink));
  if (endless !== void 0) return giveUp(counted2, read, endless, now, log);
  return { stream: { ...counted2, range: read }, range: read, outcome: progress, log };
}
function afterFailure(stream, range2, why, now, random) {
  const { scope, killsLink, blamesRange } = failures[why.code];
  const attempts = (stream.trouble?.attempts ?? 0) + 1;
  const log = [pageFailed(why)];
  if (range2.nextLink !== void 0 && (killsLink || attempts >= linkTriesMax)) {
    const { trouble: _, ...untroubled } = stream;
    return giveUp(untroubled, range2, failure("link-dead", `The link to page ${range2.page + 1} failed: ${why.detail}`), now, log);
  }
  const failed2 = { kind: "failed", failure: why };
  if (scope !== "stream" && scope !== "origin") return { stream, outcome: failed2, log };
  const until2 = now + backoffMs(why, attempts, random());
  const troubled = { ...stream, trouble: { failure: why, attempts, until: until2, since: stream.trouble?.since ?? now } };
  const suspect = blamesRange && (attempts >= rangeTriesMax || isHard(stream, range2));
  if (range2.nextLink !== void 0 || !suspect) return { stream: troubled, outcome: failed2, log };
  const narrower = narrowRange(troubled, range2, now);
  return { stream: narrower, outcome: failed2, log: [...log, givenUp(troubled, narrower, range2, why)] };
}
function afterRefusedLink(stream, range2, why, now) {
  return giveUp(stream, range2, why, now, []);
}
function giveUp(stream, range2, why, now, log) {
  const narrower = giveUpRange(stream, range2, now);
  return { stream: narrower, outcome: { kind: "progress" }, log: [...log, givenUp(stream, narrower, range2, why)] };
}
function endlessLinks({ from, to, page }, repeats) {
  if (repeats) return failure("link-repeats", `The link to page ${page + 1} repeats an earlier link`);
  const pagesMax = to - from > 1 ? rangePagesMax : narrowestRangePagesMax;
  return page >= pagesMax ? failure("link-repeats", `The range has more than ${page} pages`) : void 0;
}
function pageRead(range2, { items, newIds, counts }) {
  return {
    level: items > 0 ? "info" : "debug",
    event: "page-read",
    message: `${newIds} new of ${items}`,
    kind: range2.kind,
    from: iso(range2.from),
    to: iso(range2.to),
    page: range2.page + 1,
    ...counts
  };
}
function pageFailed(why) {
  const trace = why.traceId === void 0 ? {} : { traceId: why.traceId };
  return { level: "warn", event: "page-failed", message: formatFailure(why), code: why.code, ...trace };
}
function givenUp(before, narrower, { from, to, page }, why) {
  const isSetAside = narrower.setAside !== before.setAside;
  return {
    level: isSetAside ? "error" : "warn",
    event: isSetAside ? "range-set-aside" : "range-given-up",
    message: formatFailure(why),
    from: iso(from),
    to: iso(to),
    page,
    nextWidthMs: narrower.hard?.at(-1)?.widthMs
  };
}

// functions/domain/record/record.ts
var processor = { name: "tributary", type: "log_collector" };
function toRecord(body, { id, ingestedAt, ingestMode, connector: connector2 }) {
  return tidied(recordFields, {
    ...body,
    id,
    ingested_at: ingestedAt,
    ingest_mode: ingestMode,
    tenant_name: connector2.tenantName,
    connector_id: connector2.connectorId,
    connector_name: connector2.name,
    domain: connector2.baseUrl,
    syslog: { ...body.syslog, hostname: URL.parse(connector2.baseUrl)?.hostname ?? "-" }
  });
}
function tidied(table, values) {
  const tidy = {};
  const put = (name, field) => {
    const value = tidiedValue(field?.type === "struct" ? field.fields : noFields, values[name]);
    if (value !== void 0) tidy[name] = value;
  };
  for (const name in table) put(name, table[name]);
  for (const name in values) if (!Object.hasOwn(table, name)) put(name, void 0);
  return tidy;
}
var noFields = {};
function tidiedValue(table, value) {
  if (value === null || value === void 0 || value === "") return void 0;
  if (typeof value === "string") return value.toWellFormed();
  if (isList(value)) {
    const list2 = value.filter((text4) => text4 !== "").map((text4) => text4.toWellFormed());
    return list2.length > 0 ? list2 : void 0;
  }
  if (typeof value !== "object") return value;
  const struct = tidied(table, value);
  return Object.keys(struct).length > 0 ? struct : void 0;
}
function isList(value) {
  return Array.isArray(value);
}

// functions/domain/record/record-id.ts
function itemId(item, digest) {
  return item.id ?? digest(canonicalJson(item.raw));
}
function recordId(digest, connectorId, stream, itemId2) {
  return digest(JSON.stringify([connectorId, stream, itemId2])).slice(0, 32);
}
function rawJson(item) {
  try {
    return JSON.stringify(item) ?? "null";
  } catch (thrown) {
    if (thrown instanceof RangeError) return canonicalJson(item);
    throw thrown;
  }
}
function canonicalJson(value) {
  const parts = [];
  const todo = [{ value }];
  for (let next = todo.pop(); next !== void 0; next = todo.pop()) {
    if ("text" in next) parts.push(next.text);
    else if (typeof next.value !== "object" || next.value === null) parts.push(JSON.stringify(next.value) ?? "null");
    else {
      const list2 = Array.isArray(next.value);
      const members = Object.entries(next.value);
      if (!list2) members.sort(([a], [b]) => a < b ? -1 : 1);
      parts.push(list2 ? "[" : "{");
      todo.push({ text: list2 ? "]" : "}" });
      for (const [index, [key, member]] of [...members.entries()].reverse()) {
        todo.push({ value: member }, { text: `${index === 0 ? "" : ","}${list2 ? "" : `${JSON.stringify(key)}:`}` });
      }
    }
  }
  return parts.join("");
}

// functions/flows/collect/deliver-page.ts
function pageRequest({ connector: connector2, vendor, stream }, range2) {
  if (range2.nextLink !== void 0) return vendor.nextRequest(connector2.baseUrl, range2.nextLink);
  const { from, to } = askedRange(range2);
  return ok(vendor.firstRequest(connector2.baseUrl, stream, from, to));
}
function parsePage(vendor, response, requestedAt) {
  const page = vendor.parsePage(response);
  if (!page.ok) return page;
  const { receivedAt, clockErrorMs } = response;
  return ok({ ...page.value, requestedAt, receivedAt, ...clockErrorMs === void 0 ? {} : { clockErrorMs } });
}
async function deliverPage(ports, context, range2, page, seen) {
  const { connector: connector2, vendor, filters, stream } = context;
  const { digest } = ports;
  const newIds = /* @__PURE__ */ new Map();
  const byFilter = {};
  const records = [];
  let malformed = 0;
  for (const item of page.items) {
    const id = itemId(item, digest);
    const hash = digest(id).slice(0, 16);
    if (seen.has(hash) || newIds.has(hash)) continue;
    const record2 = toRecord(vendor.normalise(item, { stream, receivedAt: page.receivedAt }), {
      id: recordId(digest, connector2.connectorId, stream, id),
      ingestedAt: page.receivedAt,
      ingestMode: range2.kind === "final" || range2.kind === "reread" ? "backfill" : "live",
      connector: connector2
    });
    const { keep, counted: counted2 } = applyFilters(filters, record2);
    for (const name of counted2) byFilter[name] = (byFilter[name] ?? 0) + 1;
    if (record2.malformed === true) malformed += 1;
    if (keep) records.push(record2);
    newIds.set(hash, keep ? "delivered" : "filtered");
  }
  if (records.length > 0) {
    const delivered = await ports.sink.deliver(records);
    if (!delivered.ok) return delivered;
  }
  return ok({
    newIds: [...newIds].map(([hash, mark]) => ({ hash, mark })),
    counts: {
      pages: 1,
      fetched: page.items.length,
      delivered: records.length,
      filtered: newIds.size - records.length,
      alreadySeen: page.items.length - newIds.size,
      malformed,
      late: range2.kind === "reread" ? newIds.size : 0,
      byFilter
    }
  });
}

// functions/flows/collect/stream-lease.ts
var leaseMs = 2 * minute;
var spareMs = 45 * second;
function streamLease({ clock, state: state2 }, { connectorId, streamId, holder }, begun) {
  let stream = begun;
  async function write(next) {
    const versioned = { ...next, version: stream.version + 1 };
    if (!await state2.writeStream(connectorId, streamId, versioned)) return false;
    stream = versioned;
    return true;
  }
  function checkpoint(next, range2) {
    const now = clock.now();
    return write({ ...keepSeenClass(next, range2, now), lease: { holder, until: now + leaseMs } });
  }
  return {
    get stream() {
      return stream;
    },
    get isHeld() {
      return stream.lease !== void 0;
    },
    take: (range2) => checkpoint(stream, range2),
    async outlast(until2, range2) {
      return (stream.lease?.until ?? 0) >= until2 + spareMs || checkpoint(stream, range2);
    },
    checkpoint,
    release: ({ lease: _, ...next }) => write(next),
    heldUntil: () => clock.now() + leaseMs
  };
}
function heldByAnother({ lease }, holder, now) {
  return lease !== void 0 && lease.until > now && lease.holder !== holder ? lease.until : void 0;
}

// functions/flows/collect/read-range.ts
async function readRange(ports, context, { stream: streamId, range: planned, waitMaxMs }, before, key) {
  const { clock, stop } = ports;
  const { connector: connector2, limiter, holder, policy, lastPageBy } = context;
  const heldUntil = heldByAnother(before, holder, clock.now());
  if (heldUntil !== void 0) return { outcome: { kind: "lease-held", until: heldUntil }, stream: before };
  const begun = beginReading(before, planned, key.fingerprint);
  const lease = streamLease(ports, { connectorId: connector2.connectorId, streamId, holder }, begun.stream);
  const step = { ports, context, page: { ...context, stream: streamId }, key, lease };
  const { apartMs, pagesMax } = paceOf(begun.stream, key);
  const linksRead = /* @__PURE__ */ new Set();
  let { range: range2 } = begun;
  let seen;
  let lastRequestAt = begun.stream.lastReadAt ?? 0;
  for (let pages = 1; ; pages++) {
    const request = pageRequest(step.page, range2);
    if (!request.ok) return end(step, afterRefusedLink(lease.stream, range2, request.failure, clock.now()));
    const beforeWaiting = (until2) => lease.outlast(until2, range2);
    const admission = await limiter.admit(key.limiters, { waitMaxMs, notBefore: lastRequestAt + apartMs, beforeWaiting });
    if (admission.kind === "called-off") return leaseLost(lease);
    if (admission.kind === "wait") return withoutToken(step, before, admission.freeAt);
    lastRequestAt = clock.now();
    const fetched = await fetchPage(step, request.value, admission.permit);
    if (!fetched.ok) return fail(step, range2, fetched.failure);
    const { items, ...received } = fetched.value;
    if (items.length > 0 && !lease.isHeld && !await lease.take(range2)) return leaseLost(lease);
    if (items.length > 0) seen ??= await loadSeen(step, range2);
    const delivered = await deliverPage(ports, step.page, range2, fetched.value, seen ?? /* @__PURE__ */ new Set());
    if (!delivered.ok) return fail(step, range2, delivered.failure);
    const { newIds, counts } = delivered.value;
    await remember(step, range2, newIds, seen);
    const read = { ...received, key: key.fingerprint, items: items.length, newIds: newIds.length, counts };
    const next = afterPage(countRequest(lease.stream), range2, read, { policy, linksRead, now: clock.now() });
    if (next.range === void 0 || pages >= pagesMax || stop.aborted || clock.now() > lastPageBy) return end(step, next);
    logAll(step, next);
    if (!await lease.checkpoint(next.stream, next.range)) return leaseLost(lease);
    range2 = next.range;
    if (range2.nextLink !== void 0) linksRead.add(range2.nextLink);
  }
}
function paceOf({ paced }, { limiters }) {
  if (!paced) return { apartMs: 0, pagesMax: stepPagesMax };
  return { apartMs: Math.ceil(minute / Math.min(...limiters.map(({ limit }) => limit))), pagesMax: pacedStepPagesMax };
}
async function fetchPage({ ports, context, key }, request, permit) {
  const { clock, source, random } = ports;
  const requestedAt = clock.now();
  const response = await source.fetch(request, key.apiKey, context.connector);
  const outcome = requestOutcome(response, clock.now(), random);
  if (outcome !== void 0) context.limiter.release(permit, outcome);
  return response.ok ? parsePage(context.vendor, response.value, requestedAt) : response;
}
function requestOutcome(response, now, random) {
  if (response.ok) return { outcome: "responded", receivedAt: response.value.receivedAt };
  const { code, retryAfterMs } = response.failure;
  switch (failures[code].request) {
    case "throttled":
      return { outcome: "throttled", receivedAt: now, random: random(), ...retryAfterMs === void 0 ? {} : { retryAfterMs } };
    case "unsent":
      return { outcome: "unsent" };
    case "responded":
      return { outcome: "responded", receivedAt: now };
    case "unknown":
      return void 0;
  }
}
async function loadSeen({ ports, context, page, lease }, range2) {
  const seen = /* @__PURE__ */ new Set();
  const { from, to } = askedRange(range2);
  const classes2 = Object.keys(lease.stream.seenClasses).map(Number);
  const { connectorId } = context.connector;
  await ports.state.readSeen(connectorId, page.stream, { from: from - 1, to: to + 1 }, classes2, (hash) => seen.add(hash));
  return seen;
}
async function remember({ ports, context, page, lease }, { from, to }, newIds, seen) {
  if (newIds.length === 0) return;
  const { connector: connector2, policy } = context;
  await ports.state.writeSeen(connector2.connectorId, page.stream, {
    range: { from, to },
    version: lease.stream.version,
    ids: newIds,
    expiresAt: to + policy.retentionMs + day
  });
  for (const { hash } of newIds) seen?.add(hash);
}
function fail(step, range2, why) {
  const { ports, lease } = step;
  return end(step, afterFailure(countRequest(lease.stream, why), range2, why, ports.clock.now(), ports.random));
}
async function end(step, next) {
  const { lease } = step;
  logAll(step, next);
  return await lease.release(next.stream) ? { outcome: next.outcome, stream: lease.stream } : leaseLost(lease);
}
async function withoutToken({ lease }, before, freeAt) {
  const outcome = { kind: "no-token", freeAt };
  if (lease.stream.version === before.version) return { outcome, stream: before };
  return await lease.release(lease.stream) ? { outcome, stream: lease.stream } : leaseLost(lease);
}
function leaseLost(lease) {
  return { outcome: { kind: "lease-held", until: lease.heldUntil() }, stream: lease.stream };
}
function logAll({ ports, context, page }, { log }) {
  for (const line of log) ports.log({ ...line, connectorId: context.connector.connectorId, stream: page.stream });
}

// functions/flows/collect/run-report.ts
var writeEveryMs = 30 * second;
var RunReport = class {
  /** The status as last written, with the changes of this run since. */
  current;
  ports;
  connector;
  vendor;
  writtenAt;
  /** The streams as they were when the status was last written. */
  reported;
  /** Streams that lose events in this run. */
  losing = /* @__PURE__ */ new Set();
  sinceWrite = { rangesLost: 0, rangesSetAside: 0, waitedMsBefore: 0 };
  constructor(ports, connector2, vendor, stored, streams) {
    this.ports = ports;
    this.connector = connector2;
    this.vendor = vendor;
    this.writtenAt = ports.clock.now();
    this.current = stored ?? newStatus(this.writtenAt, connector2.tenantName);
    this.reported = new Map(streams);
  }
  get status() {
    return this.current;
  }
  stepTaken(before, after) {
    const isNew = ({ from }) => !before.setAside.some((range2) => range2.from === from);
    this.sinceWrite.rangesSetAside += after.setAside.filter(isNew).length;
    this.current = { ...this.current, readSteps: this.current.readSteps + 1 };
  }
  noLongerFailing() {
    const { trouble: _, ...status } = this.current;
    this.current = status;
  }
  stepFailed(why, stream) {
    this.current = { ...this.current, lastFailure: { ...why, at: this.ports.clock.now(), stream } };
  }
  /** The whole connector must back off: until the given instant, or as long as the failure asks for. Returns the end of the backoff. */
  connectorFailed(why, backoffUntil) {
    const { clock, random, log } = this.ports;
    const now = clock.now();
    const attempts = (this.current.trouble?.attempts ?? 0) + 1;
    const until2 = backoffUntil ?? now + backoffMs(why, attempts, random());
    const { code, detail, status, traceId } = why;
    const failure3 = { code, detail, ...status === void 0 ? {} : { status }, ...traceId === void 0 ? {} : { traceId } };
    this.current = { ...this.current, trouble: { failure: failure3, attempts, until: until2 }, lastFailure: { ...failure3, at: now } };
    const { connectorId } = this.connector;
    log({ level: "error", event: "connector-failing", connectorId, code, message: formatFailure(why) });
    return until2;
  }
  /** Logs each stream once a run, because a lost range grows with every step. */
  rangeLost(stream, lost) {
    if (this.losing.has(stream)) return;
    this.losing.add(stream);
    this.sinceWrite.rangesLost += 1;
    this.ports.log({
      level: "error",
      event: "range-lost",
      connectorId: this.connector.connectorId,
      stream,
      message: `Events were not read before the vendor dropped them (${lost.reason})`,
      from: iso(lost.from),
      to: iso(lost.to)
    });
  }
  isDue() {
    return this.ports.clock.now() - this.writtenAt >= writeEveryMs;
  }
  /** Returns false if the connector was disabled or deleted meanwhile. Then nothing was written, and the run must end. */
  async write({ streams, policy, keys, limiter }) {
    const { ports, connector: connector2 } = this;
    const now = ports.clock.now();
    const read = new Map([...streams].map(([id, { counts }]) => [id, countsSince(this.reported.get(id)?.counts, counts)]));
    this.reported = new Map(streams);
    const delivered = sumOfCounts([...read.values()]);
    const { lastFailure, trouble, readSteps } = this.current;
    const run = {
      ...keys.status,
      readSteps,
      ...lastFailure === void 0 ? {} : { lastFailure },
      ...trouble === void 0 ? {} : { trouble }
    };
    const otherConsumers = shareOfOthers(keys, limiter);
    const report = { now, streams, policy, connector: connector2, unusableKeys: keys.notes(), otherConsumers, delivered };
    const updated = await ports.state.updateStatus(
      connector2.connectorId,
      (stored = this.current) => isSwitchedOff(stored.state) ? void 0 : statusAfterRun(stored, run, report)
    );
    this.publish(read, delivered, limiter.waitedMs);
    this.writtenAt = now;
    if (updated === void 0) return false;
    this.current = updated.after;
    await notifyChanges(ports, connector2.connectorId, updated);
    return true;
  }
  /** Zeros are not published: CloudWatch bills a metric for each hour in which it has a value, and the dashboard reads no value as zero. */
  publish(read, all, waitedMs) {
    const { publish } = this.ports;
    const { connectorId, type: vendor } = this.connector;
    const byEvent = Map.groupBy(read, ([stream]) => this.vendor.describe(stream).event);
    for (const [event, streams] of byEvent) {
      const sum = sumOfCounts(streams.map(([, counted2]) => counted2));
      if (sum.fetched > 0) publish({ vendor, event, connectorId, values: withoutZeros(eventValues(sum)) });
    }
    const values = withoutZeros({
      Requests: all.requests,
      RequestsThrottled: all.throttled,
      PagesRead: all.pages,
      TokenWait: waitedMs - this.sinceWrite.waitedMsBefore,
      RangesLost: this.sinceWrite.rangesLost,
      RangesSetAside: this.sinceWrite.rangesSetAside
    });
    if (Object.keys(values).length > 0) publish({ vendor, connectorId, values });
    Object.assign(this.sinceWrite, { rangesLost: 0, rangesSetAside: 0, waitedMsBefore: waitedMs });
  }
};
function shareOfOthers(keys, limiter) {
  const buckets = keys.all.flatMap(({ fingerprint }) => limiter.lastSeen(fingerprint) ?? []);
  return {
    taken: buckets.reduce((sum, bucket) => sum + takenByOtherConsumers(bucket), 0),
    limit: buckets.reduce((sum, bucket) => sum + bucket.limit, 0)
  };
}
function withoutZeros(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== 0));
}

// functions/flows/collect/collect-connector.ts
var pageMaxMs = 110 * second;
var backoffMaxMs = hour;
async function collectConnector(ports, connectorId, deadline) {
  const { state: state2, log, clock } = ports;
  const stored = await state2.readRun(connectorId);
  const { accepted, due, status } = stored;
  if (accepted === void 0 || accepted.retiredAt !== void 0 || !accepted.connector.enabled) return;
  const vendor = ports.vendors.get(accepted.connector.type);
  if (vendor === void 0)
    throw new Error(`Connector ${connectorId} was accepted with the type ${accepted.connector.type}, which this release does not know.`);
  const streams = streamsOf(accepted, vendor, stored, clock.now());
  const report = new RunReport(ports, accepted.connector, vendor, status, streams);
  const backoffUntil = report.status.trouble?.until ?? 0;
  let end2 = { kind: "backing-off", dueAt: backoffUntil };
  if (backoffUntil <= clock.now()) {
    const run = await beginRun(ports, accepted, vendor, streams, report, { deadline, wantedTo: due?.wantedTo ?? 0 });
    end2 = await readAll(run);
    await run.limiter.flush();
    if (end2.kind === "finished") {
      await report.write(run);
      end2 = { kind: "finished", dueAt: nextDue(run, end2.dueAt) };
    }
  }
  if (end2.kind === "switched-off" || end2.dueAt === void 0) return;
  if (end2.dueAt !== due?.nextDueAt) await state2.setDue(connectorId, due?.nextDueAt, end2.dueAt);
  const { state: reached, reason } = report.status;
  log({ level: "info", event: "run-ended", connectorId, message: `next due ${iso(end2.dueAt)}`, state: reached, reason });
}
function streamsOf({ connector: connector2, streamsSince, acceptedAt }, vendor, stored, now) {
  return new Map(
    vendor.streams(connector2).map((id) => {
      const since2 = (streamsSince[id] ?? acceptedAt) - connector2.initialBackfillMinutes * minute;
      return [id, stored.streams.get(id) ?? newStream(since2, now)];
    })
  );
}
async function beginRun(ports, accepted, vendor, streams, report, { deadline, wantedTo }) {
  const { connector: connector2 } = accepted;
  const limiter = new RateLimiter(ports);
  const policy = {
    retentionMs: vendor.retentionMs,
    pageItemsMax: vendor.pageItemsMax,
    lateMs: connector2.lateArrivalMinutes * minute,
    intervalMs: connector2.intervalMinutes * minute,
    clockErrorMs: 0,
    wantedTo
  };
  const keys = await KeyPool.open(ports, connector2, report.status.rejectedKeys);
  const holder = `${ports.process}:${ports.nextNumber()}`;
  const filters = compileFilters(connector2.logFilters);
  const context = { connector: connector2, vendor, filters, holder, limiter, lastPageBy: deadline - pageMaxMs };
  return { ports, accepted, context, streams, policy, keys, limiter, report };
}
async function readAll(run) {
  const { keys, report } = run;
  if (keys.all.length === 0) return { kind: "finished", dueAt: report.connectorFailed(keys.whyEmpty(report.status.lastFailure)) };
  for (; ; ) {
    prepareStreams(run);
    const end2 = await takeStep(run);
    if (end2 !== void 0) return end2;
    if (report.isDue() && !await report.write(run)) return { kind: "switched-off" };
  }
}
function prepareStreams({ ports, accepted, streams, policy, report }) {
  const now = ports.clock.now();
  const { lastPause } = accepted;
  const pause = lastPause?.to === void 0 ? void 0 : { from: lastPause.from, to: lastPause.to };
  for (const [id, stream] of streams) {
    const kept = expire(stream, now, policy, pause);
    const lost = kept.lostRanges.at(-1);
    if (lost !== void 0 && lost.to !== stream.lostRanges.at(-1)?.to) report.rangeLost(id, lost);
    streams.set(id, beginReread(kept, now, policy));
  }
}
async function takeStep(run) {
  const { ports, context, streams, keys, report, policy } = run;
  const now = ports.clock.now();
  const readable = new Map([...streams].filter(([, { range: range2 }]) => range2?.key === void 0 || !keys.isBusy(range2.key, now)));
  const step = nextStep(readable, report.status.readSteps, now, policy);
  if (step === void 0) return { kind: "finished", dueAt: keys.firstFreeAt(now) };
  if (ports.stop.aborted || now > context.lastPageBy) return { kind: "finished", dueAt: now };
  const stream = streams.get(step.stream);
  const key = keys.choose(step.range.key, report.status.readSteps, now);
  if (stream === void 0 || key === void 0) return { kind: "finished", dueAt: keys.firstFreeAt(now) };
  const waitMaxMs = keys.hasAnother(key, now) && !stream.paced ? 0 : step.waitMaxMs;
  const { outcome, stream: after } = await readRange(ports, { ...context, policy }, { ...step, waitMaxMs }, stream, key);
  streams.set(step.stream, after);
  report.stepTaken(stream, after);
  switch (outcome.kind) {
    case "lease-held":
      return { kind: "lease-held", dueAt: outcome.until };
    case "no-token":
      return waitForKey(run, key, outcome.freeAt, step.waitMaxMs);
    case "progress":
      if (outcome.clockErrorMs !== void 0) run.policy = { ...policy, clockErrorMs: outcome.clockErrorMs };
      keys.accept(key);
      report.noLongerFailing();
      return void 0;
    case "failed":
      report.stepFailed(outcome.failure, step.stream);
      return afterFailedStep(run, outcome.failure, key);
  }
}
async function waitForKey({ ports, keys, limiter }, key, freeAt, waitMaxMs) {
  const now = ports.clock.now();
  keys.markBusy(key, freeAt);
  const busyUntil = keys.allBusyUntil(now);
  if (busyUntil === void 0) return void 0;
  if (keys.all.length === 1 || busyUntil > now + waitMaxMs) return { kind: "finished", dueAt: busyUntil };
  await limiter.wait(busyUntil);
  return void 0;
}
async function afterFailedStep({ ports, keys, report }, why, key) {
  const now = ports.clock.now();
  const { scope, request } = failures[why.code];
  switch (scope) {
    case "key": {
      if (request === "throttled") return void 0;
      const until2 = await keys.reject(key, why);
      return until2 === void 0 ? void 0 : { kind: "finished", dueAt: report.connectorFailed(why, until2) };
    }
    case "origin":
    case "connector":
      return { kind: "finished", dueAt: report.connectorFailed(why) };
    case "sink":
      return { kind: "finished", dueAt: now + backoffMs(why, 1, ports.random()) };
    case "stream":
    case "range":
      return void 0;
  }
}
function nextDue({ ports, accepted, streams, policy }, dueAt) {
  const now = ports.clock.now();
  if (dueAt !== void 0) return Math.min(Math.max(dueAt, now), now + backoffMaxMs);
  const backoffs = [...streams.values()].flatMap(({ trouble }) => trouble === void 0 ? [] : [trouble.until]);
  const tick = nextPhaseTime(phaseOf(ports.digest, accepted.connector.connectorId), policy.intervalMs, now);
  return Math.min(tick, ...backoffs.map((until2) => Math.max(until2, now + second)));
}
function phaseOf(digest, connectorId) {
  return Number.parseInt(digest(connectorId).slice(0, 8), 16) / 2 ** 32;
}

// functions/flows/dispatch-due.ts
var tickMs = minute;
var claimMs = 5 * minute;
var claimsAtOnce = 16;
async function dispatchDue({ clock, state: state2, queue, log }) {
  const now = clock.now();
  let claimed = 0;
  const claim = async ({ connectorId, nextDueAt }) => {
    if (!await state2.claimDue(connectorId, nextDueAt, Math.max(nextDueAt, now) + claimMs)) return;
    await queue.send(connectorId, Math.max(0, Math.ceil((nextDueAt - now) / second)));
    claimed += 1;
  };
  const underWay = /* @__PURE__ */ new Set();
  for await (const due of state2.dueBefore(now + tickMs)) {
    const claiming = claim(due).catch(
      (error) => log({
        level: "error",
        event: "claim-failed",
        connectorId: due.connectorId,
        message: "The connector was not claimed. The next tick tries again.",
        error
      })
    );
    underWay.add(claiming);
    void claiming.finally(() => underWay.delete(claiming));
    if (underWay.size >= claimsAtOnce) await Promise.race(underWay);
  }
  await Promise.all(underWay);
  return claimed;
}

// functions/domain/status/fleet.ts
var stateMetrics = connectorStates.flatMap((state2) => traitsOfState(state2).metric ?? []);
var summed = [
  "Connectors",
  "ConnectorsDroppedOff",
  "StreamsBehind",
  "LostRangesOnRecord",
  "KeysRejected"
];
var FleetTally = class {
  sums = /* @__PURE__ */ new Map();
  lags = [];
  retentionLeftMin = Number.POSITIVE_INFINITY;
  oldestKeyAt = Number.POSITIVE_INFINITY;
  /** Adds a status that was read at `now`. A connector that has not run since lags further behind than its status says. */
  add(status, now) {
    const { metric, collects } = traitsOfState(status.state);
    if (metric !== void 0) this.count(metric, 1);
    if (!collects) return;
    this.count("Connectors", 1);
    this.count("ConnectorsDroppedOff", status.state === "ok" && hasDroppedOff(status, now) ? 1 : 0);
    this.count("StreamsBehind", status.streamsBehind ?? 0);
    this.count("LostRangesOnRecord", status.lostRanges ?? 0);
    this.count("KeysRejected", Object.values(status.rejectedKeys).filter(({ until: until2 }) => until2 > now).length);
    const sinceRun = status.lastRunAt === void 0 ? 0 : now - status.lastRunAt;
    this.lags.push((status.lagMs ?? 0) + sinceRun);
    if (status.retentionLeftMs !== void 0) this.retentionLeftMin = Math.min(this.retentionLeftMin, status.retentionLeftMs - sinceRun);
    if (status.oldestKeyAt !== void 0) this.oldestKeyAt = Math.min(this.oldestKeyAt, status.oldestKeyAt);
  }
  /**
   * The metrics of the tally. Unknown values are left out: `RetentionLeftMin` before the first run, `KeyAgeMax` if no key has a date.
   */
  metrics(outages, now) {
    const lags = this.lags.sort((a, b) => a - b);
    return {
      ...Object.fromEntries([...stateMetrics, ...summed].map((metric) => [metric, this.sums.get(metric) ?? 0])),
      VendorOutages: outages,
      LagMax: lags.at(-1) ?? 0,
      LagP99: lags[Math.ceil(lags.length * 0.99) - 1] ?? 0,
      ...Number.isFinite(this.retentionLeftMin) ? { RetentionLeftMin: this.retentionLeftMin } : {},
      ...Number.isFinite(this.oldestKeyAt) ? { KeyAgeMax: now - this.oldestKeyAt } : {}
    };
  }
  count(metric, more) {
    this.sums.set(metric, (this.sums.get(metric) ?? 0) + more);
  }
};

// functions/flows/review-outages.ts
function observeOrigin(origins, status) {
  const { vendor, origin, state: state2, cause, reason, since: since2, lastSuccessAt = 0, lastFailure } = status;
  if (vendor === void 0 || origin === void 0 || !traitsOfState(state2).collects) return;
  const id = originId({ vendor, origin });
  const observed = origins.get(id) ?? { vendor, origin, respondedAt: 0 };
  const refusedAt = lastFailure?.status !== void 0 && !isVendorsOwn(lastFailure.code) ? lastFailure.at : 0;
  observed.respondedAt = Math.max(observed.respondedAt, lastSuccessAt, refusedAt);
  if (state2 === "failing" && cause !== void 0 && isVendorsOwn(cause)) observed.failing = { cause, reason, since: since2 };
  origins.set(id, observed);
}
async function reviewOutages(ports, origins, now) {
  const failingOrigins = /* @__PURE__ */ new Map();
  const count2 = (vendor) => failingOrigins.set(vendor, (failingOrigins.get(vendor) ?? 0) + 1);
  const withOutage = /* @__PURE__ */ new Set();
  for (const outage of await ports.state.outages()) {
    withOutage.add(originId(outage));
    const observed = origins.get(originId(outage));
    const isRecent = outage.since > now - overdueMs;
    const goesOn = isRecent || observed !== void 0 && (observed.failing !== void 0 || observed.respondedAt <= outage.since);
    if (goesOn) count2(outage.vendor);
    await orNextTime(ports, outage.origin, async () => {
      if (!isRecent && !outage.sent) await notifyOutage(ports, outage);
      if (goesOn) return;
      if (observed !== void 0) await ports.bus.put([outageNotification(outage, now)]);
      await ports.state.endOutage(outage);
    });
  }
  for (const [id, { vendor, origin, failing }] of origins) {
    if (failing === void 0 || withOutage.has(id)) continue;
    count2(vendor);
    await orNextTime(ports, origin, () => beginOutage(ports, { vendor, origin, ...failing, sent: false }));
  }
  return failingOrigins;
}
async function orNextTime({ log }, origin, notify) {
  try {
    await notify();
  } catch (error) {
    const message = `The notification about ${origin} was not sent. The next measurement tries again.`;
    log({ level: "warn", event: "outage-pending", message, error });
  }
}
function originId({ vendor, origin }) {
  return `${vendor} ${origin}`;
}

// functions/flows/measure-fleet.ts
async function measureFleet(ports) {
  const { state: state2, clock, publish } = ports;
  const now = clock.now();
  const tallies = new Map([...ports.vendors.keys()].map((vendor) => [vendor, new FleetTally()]));
  const origins = /* @__PURE__ */ new Map();
  for await (const { connectorId, status } of state2.fleet()) {
    const vendor = status.vendor ?? "unknown";
    const tally = tallies.get(vendor) ?? new FleetTally();
    tallies.set(vendor, tally);
    tally.add(status, now);
    observeOrigin(origins, status);
    const recent = status.pendingChanges?.filter(({ since: since2 }) => since2 >= now - overdueMs) ?? [];
    await notifyChanges(ports, connectorId, { before: { ...status, pendingChanges: recent }, after: status });
  }
  const outages = await reviewOutages(ports, origins, now);
  for (const [vendor, tally] of tallies) publish({ vendor, values: tally.metrics(outages.get(vendor) ?? 0, now) });
}

// functions/adapters/state-table/expressions.ts
import { marshall } from "@aws-sdk/util-dynamodb";
var isAbsent = "(attribute_not_exists(#pk) OR #expiresAt <= :now)";
var isLive2 = "attribute_exists(#pk) AND (attribute_not_exists(#expiresAt) OR #expiresAt > :now)";
var isReadable = "(attribute_not_exists(#pk) OR #schemaVersion <= :schemaVersion)";
function bind(expressions, values) {
  const used = (mark) => [...new Set(expressions.match(new RegExp(`${mark}\\w+`, "g")))];
  const bound = used(":").map((value) => [value, values[value.slice(1)]]);
  return {
    ExpressionAttributeNames: Object.fromEntries(used("#").map((name) => [name, name.slice(1)])),
    ...bound.length === 0 ? {} : { ExpressionAttributeValues: typed(Object.fromEntries(bound)) }
  };
}
function typed(value) {
  return marshall(value, { removeUndefinedValues: true });
}

// functions/adapters/state-table/item.ts
import * as z3 from "zod";

// functions/domain/state-errors.ts
var StateUnavailable = class extends Error {
  name = "StateUnavailable";
};
var NewerSchema = class extends Error {
  name = "NewerSchema";
  /** `item`: the item's key in words. */
  constructor(item, found, known) {
    super(
      `The state item ${item} has schemaVersion ${found}, and this release knows up to ${known}. The item was left as it is. Deploy the release that wrote it, or a later one.`
    );
  }
};

// functions/adapters/state-table/item-keys.ts
import { createHash } from "node:crypto";
var connectorPrefix = "CONNECTOR#";
var bucketPrefix = "KEY#";
var streamPrefix = "STREAM#";
var userPrefix = "USER#";
var seenPrefix = "SEEN#";
var outagesPk = "OUTAGES";
var fingerprintKeyKey = { pk: "FINGERPRINT", sk: "KEY" };
function connectorPk(connectorId) {
  return `${connectorPrefix}${connectorId}`;
}
function connectorOfPk(pk) {
  return pk.slice(connectorPrefix.length);
}
function acceptedKey(connectorId) {
  return { pk: connectorPk(connectorId), sk: "ACCEPTED" };
}
function dueKey(connectorId) {
  return { pk: connectorPk(connectorId), sk: "DUE" };
}
function statusKey(connectorId) {
  return { pk: connectorPk(connectorId), sk: "STATUS" };
}
function streamKey(connectorId, stream) {
  return { pk: connectorPk(connectorId), sk: `${streamPrefix}${stream}` };
}
function streamOfSk(sk) {
  return typeof sk === "string" && sk.startsWith(streamPrefix) ? sk.slice(streamPrefix.length) : void 0;
}
function seenKey(connectorId, stream, range2, version, part) {
  return { pk: connectorPk(connectorId), sk: `${seenFrom(stream, seenClass(range2), range2.from)}#${digits(version, 12)}.${part}` };
}
function seenFrom(stream, widthClass, from) {
  return `${seenPrefix}${stream}#${widthClass}.${digits(Math.max(0, Math.floor(from)), 15)}`;
}
function digits(whole2, width) {
  return String(whole2).padStart(width, "0");
}
function bucketPk(bucket) {
  return `${bucketPrefix}${bucket}`;
}
function bucketKey(bucket) {
  return { pk: bucketPk(bucket), sk: "TOKENS" };
}
function userKey(bucket, connectorId) {
  return { pk: bucketPk(bucket), sk: `${userPrefix}${connectorId}` };
}
function outageKey({ vendor, origin }) {
  return { pk: outagesPk, sk: `${vendor}#${origin}` };
}
function formatKey({ pk, sk }) {
  return `${pk} ${sk}`;
}
var shards = 8;
function shardOf(connectorId) {
  return (createHash("sha256").update(connectorId).digest()[0] ?? 0) % shards;
}

// functions/adapters/state-table/item.ts
var schemaVersion = 1;
var header = z3.object({
  pk: z3.string(),
  sk: z3.string(),
  schemaVersion: z3.number(),
  /** Names the write that made the item, so that a write can find out whether it took place. */
  writeId: z3.string().optional()
});
function parseItem(item, schema) {
  const head = header.safeParse(item);
  if (head.success && head.data.schemaVersion > schemaVersion) {
    throw new NewerSchema(formatKey(head.data), head.data.schemaVersion, schemaVersion);
  }
  const parsed = head.success ? schema.safeParse(item) : head;
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map(({ path: path2, message }) => `${path2.join(".")}: ${message}`).join("; ");
  const key = head.success ? formatKey(head.data) : "without a key or version";
  throw new StateUnavailable(
    `The state item ${key} is not what a release writes (${mistakes}). Restore it from a backup, or delete it to start over.`
  );
}
function writeIdOf(item) {
  return parseItem(item, header).writeId;
}

// functions/adapters/state-table/schemas.ts
import * as z4 from "zod";
function withStoredNames(schema, storedNames) {
  const namesHere = new Map(Object.entries(storedNames).map(([name, stored2]) => [stored2, name]));
  const stored = new Map(Object.entries(storedNames));
  return z4.codec(z4.object(renamed(schema.shape, stored)), z4.custom(), {
    decode: (item) => renamed(item, namesHere),
    encode: (value) => renamed(value, stored)
  });
}
function renamed(item, names) {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [String(names.get(name) ?? name), value]));
}
function storedAs(storedValues) {
  const values = Object.keys(storedValues);
  const valuesHere = new Map(values.map((value) => [storedValues[value], value]));
  return z4.codec(z4.enum([...valuesHere.keys()]), z4.enum(values), {
    decode: (value) => valuesHere.get(value) ?? value,
    encode: (value) => storedValues[value]
  });
}
var instant = z4.number();
var text2 = z4.string();
var count = z4.number();
var optional = z4.exactOptional;
var interval = z4.object({ from: instant, to: instant });
var failureCode = storedAs({
  ...Object.fromEntries(failureCodes.map((code) => [code, code])),
  "malformed-response": "malformed-answer"
});
var failure2 = z4.object({
  code: failureCode,
  detail: text2,
  status: optional(z4.number()),
  traceId: optional(text2),
  retryAfterMs: optional(z4.number())
});
var secretReference2 = z4.object({ secretName: text2, jsonKey: optional(text2) });
var logFilter = z4.custom((value) => typeof value === "object" && value !== null && "name" in value, "expected a log filter");
var connector = z4.object({
  connectorId: text2,
  type: text2,
  name: text2,
  tenantName: text2,
  baseUrl: text2,
  apiKeySecrets: z4.array(secretReference2),
  contentTypes: z4.array(text2),
  eventTypes: z4.array(text2),
  logFilters: z4.array(logFilter),
  disableTlsVerification: z4.boolean(),
  tlsCaPem: optional(text2),
  enabled: z4.boolean(),
  intervalMinutes: z4.number(),
  requestsPerMinute: z4.number(),
  requestsPerDay: optional(z4.number()),
  rateGroup: optional(text2),
  initialBackfillMinutes: z4.number(),
  lateArrivalMinutes: z4.number(),
  sharedKey: z4.boolean()
});
var acceptedSchema = z4.object({
  connector,
  itemDigest: text2,
  acceptedAt: instant,
  streamsSince: z4.record(text2, instant),
  lastPause: optional(z4.object({ from: instant, to: optional(instant) })),
  retiredAt: optional(instant)
});
var dueSchema = z4.object({ nextDueAt: instant, wantedTo: instant });
var dayCounts = z4.object({ delivered: count, filtered: count, requests: count, throttled: count });
var state = z4.enum(connectorStates);
var stateChange = z4.object({
  from: state,
  to: state,
  reason: text2,
  since: instant,
  cause: optional(failureCode),
  causeBefore: optional(failureCode),
  refusedEdit: optional(z4.literal(true))
});
var statusSchema = withStoredNames(
  z4.object({
    state,
    reason: text2,
    since: instant,
    cause: optional(failureCode),
    pendingChanges: optional(z4.array(stateChange)),
    tenantName: optional(text2),
    vendor: optional(text2),
    origin: optional(text2),
    lastRunAt: optional(instant),
    lastSuccessAt: optional(instant),
    lagMs: optional(z4.number()),
    retentionLeftMs: optional(z4.number()),
    streamsBehind: optional(count),
    lostRanges: optional(count),
    oldestKeyAt: optional(instant),
    lastFailure: optional(failure2.extend({ at: instant, stream: optional(text2) })),
    trouble: optional(z4.object({ failure: failure2, attempts: count, until: instant })),
    keys: z4.array(text2).exactOptional(),
    rejectedKeys: z4.record(text2, z4.object({ at: instant, until: instant, attempts: count })),
    problems: z4.array(z4.object({ path: text2, message: text2 })),
    days: z4.record(text2, dayCounts),
    readSteps: count
  }),
  { retentionLeftMs: "horizonInMs", lostRanges: "holes", pendingChanges: "changes", origin: "site", readSteps: "turns" }
);
var outageSchema = withStoredNames(
  z4.object({
    vendor: text2,
    origin: text2,
    since: instant,
    cause: failureCode,
    reason: text2,
    sent: z4.boolean()
  }),
  { origin: "site", sent: "told" }
);
var lostRange = interval.extend({
  reason: storedAs({ "retention-limit": "horizon", paused: "paused", unreadable: "unreadable" })
});
var range = interval.extend({
  kind: storedAs({ tail: "tail", provisional: "fresh", final: "settling", reread: "reread" }),
  readSince: optional(instant),
  nextLink: optional(text2),
  page: count,
  items: count,
  key: optional(text2)
});
var streamCounts = z4.object({
  pages: count,
  requests: count,
  throttled: count,
  fetched: count,
  delivered: count,
  filtered: count,
  alreadySeen: count,
  malformed: count,
  late: count,
  byFilter: z4.record(text2, count)
});
var streamSchema = withStoredNames(
  z4.object({
    version: count,
    lease: optional(z4.object({ holder: text2, until: instant })),
    since: instant,
    covered: z4.array(interval),
    lostRanges: z4.array(lostRange),
    range: optional(range),
    readThrough: instant,
    widthMs: z4.number(),
    pagesTarget: z4.number(),
    paced: z4.boolean(),
    hard: optional(z4.array(interval.extend({ widthMs: z4.number() }))),
    setAside: z4.array(interval.extend({ until: instant })),
    reread: optional(interval),
    nextRereadAt: instant,
    seenClasses: z4.record(text2, instant),
    trouble: optional(z4.object({ failure: failure2, attempts: count, until: instant, since: instant })),
    lastReadAt: optional(instant),
    counts: streamCounts
  }),
  { lostRanges: "holes", range: "slice", readThrough: "freshTo" }
);
var bucketSchema = withStoredNames(
  z4.object({
    version: count,
    limit: count,
    learnedLimit: count,
    closedUntil: instant,
    cutAt: instant,
    closureMs: z4.number(),
    refusedLevel: optional(count),
    probeAt: instant,
    probeAfterMs: z4.number(),
    raiseAt: instant,
    tokens: text2,
    hours: z4.record(text2, count)
  }),
  { learnedLimit: "n" }
);
var keyUserSchema = z4.object({
  connectorId: text2,
  tenantName: text2,
  sharedKey: z4.boolean(),
  requestsPerMinute: z4.number(),
  requestsPerDay: optional(z4.number()),
  until: instant
});

// functions/adapters/state-table/table-definitions.ts
var dueIndex = "due";
var fleetIndex = "fleet";

// functions/adapters/state-table/accepted.ts
var retiredKeptMs = 4 * day;
function acceptedItems(store, streams) {
  return {
    readAccepted: (connectorId) => store.get(acceptedKey(connectorId), acceptedSchema),
    // Accepted items have shards of their own in the fleet index, after those of the statuses, so that neither listing reads the other.
    async *allAccepted() {
      for (let shard = shards; shard < 2 * shards; shard++) {
        const where = "#fleetShard = :shard";
        for await (const item of store.query({ index: fleetIndex, where, values: { shard } })) yield parseItem(item, acceptedSchema);
      }
    },
    /**
     *     the table's stream                 hourly comparison
     *     reads acceptance A                 reads acceptance A
     *     item edited: writes B over A
     *                                        writes A' (the old item) over A: refused, the table has B
     *
     * A deletion changes neither the digest nor the time of the acceptance, so `retiredAt` is compared as well.
     */
    async writeAccepted(accepted, before) {
      const { connectorId } = accepted.connector;
      const sameItem = "#itemDigest = :itemDigest AND #acceptedAt = :acceptedAt";
      const sameTombstone = before?.retiredAt === void 0 ? "attribute_not_exists(#retiredAt)" : "#retiredAt = :retiredAt";
      const condition = {
        holds: before === void 0 ? isAbsent : `${isLive2} AND ${sameItem} AND ${sameTombstone}`,
        ...before === void 0 ? {} : { values: { ...before } }
      };
      const expiresAt = accepted.retiredAt === void 0 ? void 0 : accepted.retiredAt + retiredKeptMs;
      const attributes2 = { ...accepted, connectorId, fleetShard: shards + shardOf(connectorId) };
      if (!await store.put(acceptedKey(connectorId), attributes2, { condition, expiresAt })) return false;
      if (expiresAt !== void 0) await streams.expire(connectorId, expiresAt);
      else if (before?.retiredAt !== void 0) await streams.keep(connectorId);
      return true;
    }
  };
}

// functions/adapters/state-table/api-keys.ts
import { isDeepStrictEqual } from "node:util";
import * as z6 from "zod";

// functions/adapters/state-table/store.ts
import { randomUUID } from "node:crypto";
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand
} from "@aws-sdk/client-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
function dynamodbStore({ client, table, now }) {
  const nowSeconds = () => Math.floor(now() / second);
  const bindValues = (expressions, values = {}) => bind(expressions, { now: nowSeconds(), schemaVersion, ...values });
  const isExpired = ({ expiresAt }) => typeof expiresAt === "number" && expiresAt <= nowSeconds();
  async function read(key) {
    const get = new GetItemCommand({ TableName: table, Key: typed(key), ConsistentRead: true });
    const { Item } = await call("GetItem", formatKey(key), () => client.send(get));
    return Item === void 0 ? void 0 : unmarshall(Item);
  }
  async function tookPlace(key, writeId, operation, send) {
    try {
      await call(operation, formatKey(key), send);
      return true;
    } catch (refusal) {
      if (!(refusal instanceof ConditionalCheckFailedException)) throw refusal;
      const stored = refusal.Item === void 0 ? await read(key) : unmarshall(refusal.Item);
      return stored !== void 0 && writeIdOf(stored) === writeId;
    }
  }
  return {
    async get(key, schema) {
      const item = await read(key);
      return item === void 0 || isExpired(item) ? void 0 : parseItem(item, schema);
    },
    async *query({ index, where, values }) {
      const request = {
        TableName: table,
        KeyConditionExpression: where,
        ...bindValues(where, values),
        ...index === void 0 ? { ConsistentRead: true } : { IndexName: index }
      };
      const about = index === void 0 ? String(values["pk"]) : `the index ${index}`;
      let start;
      do {
        const from = start;
        const page = await call(
          "Query",
          about,
          () => client.send(new QueryCommand({ ...request, ExclusiveStartKey: from }))
        );
        for (const typedItem of page.Items ?? []) {
          const item = unmarshall(typedItem);
          if (!isExpired(item)) yield item;
        }
        start = page.LastEvaluatedKey;
      } while (start !== void 0);
    },
    put(key, attributes2, { condition, expiresAt } = {}) {
      const writeId = randomUUID();
      const expiry = { expiresAt: expiresAt === void 0 ? void 0 : Math.ceil(expiresAt / second) };
      const holds = condition === void 0 ? isReadable : `${isReadable} AND ${condition.holds}`;
      return tookPlace(
        key,
        writeId,
        "PutItem",
        () => client.send(
          new PutItemCommand({
            TableName: table,
            Item: typed({ ...attributes2, ...key, schemaVersion, writeId, ...expiry }),
            ConditionExpression: holds,
            ...bindValues(holds, condition?.values),
            ReturnValuesOnConditionCheckFailure: "ALL_OLD"
          })
        )
      );
    },
    update(key, { set = {}, expressions = [], remove = [] }, condition) {
      const writeId = randomUUID();
      const holds = `${isReadable} AND ${condition.holds}`;
      const always = ["#schemaVersion = if_not_exists(#schemaVersion, :schemaVersion)", "#writeId = :writeId"];
      const sets = [...Object.keys(set).map((name) => `#${name} = :set_${name}`), ...expressions, ...always];
      const change = `SET ${sets.join(", ")}${remove.length === 0 ? "" : ` REMOVE ${remove.map((name) => `#${name}`).join(", ")}`}`;
      const values = Object.fromEntries(Object.entries(set).map(([name, value]) => [`set_${name}`, value]));
      return tookPlace(
        key,
        writeId,
        "UpdateItem",
        () => client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: typed(key),
            UpdateExpression: change,
            ConditionExpression: holds,
            ...bindValues(`${change} ${holds}`, { ...condition.values, ...values, writeId }),
            ReturnValuesOnConditionCheckFailure: "ALL_OLD"
          })
        )
      );
    },
    async remove(key) {
      await tookPlace(
        key,
        "",
        "DeleteItem",
        () => client.send(
          new DeleteItemCommand({
            TableName: table,
            Key: typed(key),
            ConditionExpression: isReadable,
            ...bindValues(isReadable),
            ReturnValuesOnConditionCheckFailure: "ALL_OLD"
          })
        )
      );
    }
  };
}
async function call(operation, about, send) {
  try {
    return await send();
  } catch (cause) {
    if (cause instanceof ConditionalCheckFailedException) throw cause;
    const name = cause instanceof Error ? cause.name : "unknown error";
    const message = `The state table failed on ${operation} of ${about} (${name}). The next run tries again; if it keeps failing, check the table's throttling and the function's permissions.`;
    throw new StateUnavailable(message, { cause });
  }
}
async function mustWrite(key, written) {
  if (await written) return;
  throw new StateUnavailable(`A newer release wrote and removed the state item ${formatKey(key)} meanwhile. Try again.`);
}

// functions/adapters/state-table/token-text.ts
import * as z5 from "zod";
var columns = z5.object({
  /** The process part of every `by`, with its colon, each once. */
  processes: z5.array(z5.string()),
  /** Each `at`, as the difference from the one before (ms). */
  at: z5.array(z5.number()),
  /** The process part of each `by`, as an index into `processes`. */
  process: z5.array(z5.number()),
  /** The part of each `by` after its process. */
  number: z5.array(z5.union([z5.number(), z5.string()])),
  settled: z5.array(z5.number())
});
function tokensToText(tokens) {
  const text4 = { processes: [], at: [], process: [], number: [], settled: [] };
  const indexes = /* @__PURE__ */ new Map();
  let before = 0;
  for (const { at, by, released } of tokens) {
    const cut = by.lastIndexOf(":") + 1;
    const process = by.slice(0, cut);
    const index = indexes.get(process) ?? indexes.size;
    if (index === indexes.size) {
      indexes.set(process, index);
      text4.processes.push(process);
    }
    text4.at.push(at - before);
    text4.process.push(index);
    text4.number.push(numberOr(by.slice(cut)));
    text4.settled.push(released ? 1 : 0);
    before = at;
  }
  return JSON.stringify(text4);
}
function tokensFromText(text4) {
  const { processes, at, process, number: number7, settled } = columns.parse(JSON.parse(text4));
  let last = 0;
  return at.map((difference, i) => {
    last += difference;
    return { at: last, by: `${processes[process[i] ?? -1] ?? ""}${number7[i] ?? ""}`, released: settled[i] === 1 };
  });
}
function numberOr(text4) {
  const number7 = Number(text4);
  return Number.isSafeInteger(number7) && String(number7) === text4 ? number7 : text4;
}

// functions/adapters/state-table/api-keys.ts
var fingerprintKeyItem = z6.object({ keyHex: z6.string() });
function apiKeyItems(store) {
  async function users(bucket, now) {
    const found = [];
    const where = "#pk = :pk AND begins_with(#sk, :prefix)";
    for await (const item of store.query({ where, values: { pk: bucketPk(bucket), prefix: userPrefix } })) {
      const user = parseItem(item, keyUserSchema);
      if (user.until > now) found.push(user);
    }
    return found;
  }
  let cachedKeyHex;
  async function findFingerprintKey(candidate) {
    const stored = await store.get(fingerprintKeyKey, fingerprintKeyItem);
    if (stored !== void 0) return stored.keyHex;
    if (await store.put(fingerprintKeyKey, { keyHex: candidate }, { condition: { holds: isAbsent } })) return candidate;
    const theirs = await store.get(fingerprintKeyKey, fingerprintKeyItem);
    if (theirs === void 0)
      throw new StateUnavailable("Somebody removed the key that fingerprints API keys while it was read. Try again.");
    return theirs.keyHex;
  }
  return {
    async readTokens(bucket) {
      const stored = await store.get(bucketKey(bucket), bucketSchema);
      if (stored === void 0) return void 0;
      try {
        return { ...stored, tokens: tokensFromText(stored.tokens) };
      } catch {
        throw new StateUnavailable(
          `The tokens of the state item ${bucketPk(bucket)} cannot be read. Delete the item two minutes after the last request with this key.`
        );
      }
    },
    /**
     *     run A                              run B
     *     reads version 4: one token left    reads version 4: one token left
     *     takes it: 4 → 5
     *                                        takes it: 4 → 5: refused, reads again and waits
     */
    writeTokens(bucket, next) {
      const sameVersion = `${isLive2} AND #version = :before`;
      const condition = { holds: next.version === 1 ? isAbsent : sameVersion, values: { before: next.version - 1 } };
      return store.put(bucketKey(bucket), z6.encode(bucketSchema, { ...next, tokens: tokensToText(next.tokens) }), { condition });
    },
    /**
     *     connector A                        connector B, of another tenant
     *     writes itself as a user
     *                                        writes itself as a user
     *     reads: A, B                        reads: A, B
     *
     * The write comes before the read, so at least one of the two sees the other.
     */
    async registerKeyUser(bucket, user, now) {
      const before = await users(bucket, now);
      if (before.some((stored) => isSameUse(stored, user, now))) return before;
      const key = userKey(bucket, user.connectorId);
      await mustWrite(key, store.put(key, { ...user }, { expiresAt: user.until }));
      return users(bucket, now);
    },
    forgetKeyUser: (bucket, connectorId) => store.remove(userKey(bucket, connectorId)),
    // The key never changes, so each process reads it once.
    async fingerprintKey(candidate) {
      cachedKeyHex ??= await findFingerprintKey(candidate);
      return cachedKeyHex;
    }
  };
}
function isSameUse(stored, user, now) {
  return isDeepStrictEqual({ ...stored, until: user.until }, user) && stored.until - now >= (user.until - now) / 2;
}

// functions/adapters/state-table/due.ts
function dueItems(store) {
  return {
    // The items are not parsed, so that one item of a newer release does not stop the other connectors. The claim refuses that one.
    async *dueBefore(until2) {
      for (let shard = 0; shard < shards; shard++) {
        const where = "#dueShard = :shard AND #nextDueAt < :until";
        for await (const { pk, nextDueAt } of store.query({ index: dueIndex, where, values: { shard, until: until2 } })) {
          yield { connectorId: connectorOfPk(String(pk)), nextDueAt: Number(nextDueAt) };
        }
      }
    },
    /**
     *     dispatch A                         dispatch B (the rule delivers at least once)
     *     index: due 12:00                   index: due 12:00
     *     12:00 → 12:15, sends the message
     *                                        12:00 → 12:15: refused, the table has 12:15; sends nothing
     */
    claimDue(connectorId, seen, next) {
      const unclaimed = "#nextDueAt = :seen";
      return store.update(dueKey(connectorId), { set: { nextDueAt: next } }, { holds: unclaimed, values: { seen } });
    },
    /**
     *     run                                acceptance, or "run now"
     *     began with due 12:15 (its claim)
     *                                        makes it due 12:03
     *     ends: next 12:05                   refused: 12:03 is earlier, and somebody wants it
     *
     * A connector that was switched off or deleted meanwhile has no due time, and gets none here.
     */
    setDue(connectorId, seen, next) {
      const asItWas = seen === void 0 ? "attribute_not_exists(#pk)" : "#nextDueAt = :seen";
      const later = "#nextDueAt > :next";
      return store.update(
        dueKey(connectorId),
        { set: { nextDueAt: next, dueShard: shardOf(connectorId) }, expressions: ["#wantedTo = if_not_exists(#wantedTo, :never)"] },
        { holds: `(${asItWas} OR ${later})`, values: { seen, next, never: 0 } }
      );
    },
    async makeDue(connectorId, at, wantedTo) {
      const key = dueKey(connectorId);
      await mustWrite(key, store.put(key, { nextDueAt: at, wantedTo, dueShard: shardOf(connectorId) }));
    },
    removeDue: (connectorId) => store.remove(dueKey(connectorId))
  };
}

// functions/adapters/state-table/outages.ts
import * as z7 from "zod";
function outageItems(store) {
  return {
    /**
     *     run of connector A                 run of connector B
     *     writes the outage of the origin
     *                                        writes it: refused, so it notifies nobody
     */
    beginOutage: (outage) => store.put(outageKey(outage), z7.encode(outageSchema, outage), { condition: { holds: isAbsent } }),
    async outages() {
      const open = [];
      for await (const item of store.query({ where: "#pk = :pk", values: { pk: outagesPk } })) open.push(parseItem(item, outageSchema));
      return open;
    },
    /** An outage that has ended meanwhile stays ended: nothing is written. */
    async outageSent(outage) {
      const same = `${isLive2} AND #since = :since`;
      await store.update(outageKey(outage), { set: { told: true } }, { holds: same, values: { since: outage.since } });
    },
    endOutage: (outage) => store.remove(outageKey(outage))
  };
}

// functions/adapters/state-table/seen.ts
import * as z8 from "zod";
var idsMax = 2e4;
var hashBytes = 8;
var idBytes = hashBytes + 1;
var markBytes = { delivered: 1, filtered: 2 };
var seenItem = z8.object({ stream: z8.string(), from: z8.number(), to: z8.number(), ids: z8.instanceof(Uint8Array) });
function seenItems(store) {
  return {
    async readSeen(connectorId, stream, range2, classes2, into) {
      const found = await Promise.all(classes2.map((widthClass) => overlapping(connectorId, stream, range2, widthClass)));
      for (const ids of found.flat()) unpack(ids, into);
    },
    /** No other page is read at the same version of the stream. So an item that is there already holds this very page. */
    async writeSeen(connectorId, stream, page) {
      const { range: range2, version, ids, expiresAt } = page;
      for (let part = 0; part * idsMax < ids.length; part++) {
        const packed = pack(ids.slice(part * idsMax, (part + 1) * idsMax));
        const attributes2 = { stream, from: range2.from, to: range2.to, ids: packed };
        await store.put(seenKey(connectorId, stream, range2, version, part), attributes2, { condition: { holds: isAbsent }, expiresAt });
      }
    }
  };
  async function overlapping(connectorId, stream, range2, widthClass) {
    const pages = [];
    const values = {
      pk: connectorPk(connectorId),
      first: seenFrom(stream, widthClass, range2.from - seenClassWidth(widthClass) + 1),
      end: seenFrom(stream, widthClass, range2.to)
    };
    for await (const item of store.query({ where: "#pk = :pk AND #sk BETWEEN :first AND :end", values })) {
      const page = parseItem(item, seenItem);
      if (page.stream === stream && page.from < range2.to && page.to > range2.from) pages.push(page.ids);
    }
    return pages;
  }
}
function pack(ids) {
  const packed = Buffer.alloc(ids.length * idBytes);
  ids.forEach(({ hash, mark }, i) => {
    if (packed.write(hash, i * idBytes, hashBytes, "hex") !== hashBytes)
      throw new Error(`A seen id must be ${hashBytes * 2} hex digits, and this one is ${hash}.`);
    packed[i * idBytes + hashBytes] = markBytes[mark];
  });
  return packed;
}
function unpack(ids, into) {
  const packed = Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength);
  if (packed.length % idBytes !== 0)
    throw new StateUnavailable(`A page of seen ids has ${packed.length} bytes, which is no multiple of ${idBytes}.`);
  for (let i = 0; i < packed.length; i += idBytes) {
    const mark = packed[i + hashBytes] === markBytes.filtered ? "filtered" : "delivered";
    into(packed.toString("hex", i, i + hashBytes), mark);
  }
}

// functions/adapters/state-table/status.ts
import { isDeepStrictEqual as isDeepStrictEqual2 } from "node:util";
import * as z9 from "zod";
var updatesMax = 20;
var statusItem = z9.object({ status: statusSchema, revision: z9.number() });
var fleetItem = z9.object({ connectorId: z9.string(), status: statusSchema });
function statusItems(store) {
  const attributes2 = (connectorId, status) => ({
    status: z9.encode(statusSchema, status),
    connectorId,
    fleetShard: shardOf(connectorId)
  });
  return {
    async readStatus(connectorId) {
      return (await store.get(statusKey(connectorId), statusItem))?.status;
    },
    /**
     *     acceptance                         run
     *     reads revision 7
     *                                        writes its results: 7 → 8
     *     writes 7 → 8: refused, reads 8 and updates that
     */
    async updateStatus(connectorId, update) {
      const key = statusKey(connectorId);
      for (let write = 0; write < updatesMax; write++) {
        const before = await store.get(key, statusItem);
        const status = update(before?.status);
        if (status === void 0) return void 0;
        const updated = { after: status, ...before === void 0 ? {} : { before: before.status } };
        if (isDeepStrictEqual2(status, before?.status)) return updated;
        const revision = before?.revision ?? 0;
        const sameRevision = `${isLive2} AND #revision = :revision`;
        const condition = { holds: before === void 0 ? isAbsent : sameRevision, values: { revision } };
        const expiresAt = status.state === "retired" ? status.since + retiredKeptMs : void 0;
        if (await store.put(key, { ...attributes2(connectorId, status), revision: revision + 1 }, { condition, expiresAt })) return updated;
      }
      throw new StateUnavailable(
        `Other writers changed the status of connector ${connectorId} ${updatesMax} times in a row. The next change tries again.`
      );
    },
    async *fleet() {
      for (let shard = 0; shard < shards; shard++) {
        const where = "#fleetShard = :shard";
        for await (const item of store.query({ index: fleetIndex, where, values: { shard } })) yield parseItem(item, fleetItem);
      }
    }
  };
}
function parseStatus(item) {
  return parseItem(item, statusItem).status;
}

// functions/adapters/state-table/streams.ts
import * as z10 from "zod";
function streamItems(store) {
  return {
    /**
     *     run A                              run B
     *     lease: 5 → 6
     *     freezes; its lease runs out
     *                                        lease: 6 → 7
     *     wakes, checkpoint 6 → 7: refused
     */
    writeStream(connectorId, stream, next) {
      const sameVersion = `${isLive2} AND #version = :before`;
      const condition = { holds: next.version === 1 ? isAbsent : sameVersion, values: { before: next.version - 1 } };
      return store.put(streamKey(connectorId, stream), z10.encode(streamSchema, next), { condition });
    }
  };
}
function streamRetention(store) {
  async function each(connectorId, change) {
    const changes = [];
    const where = "#pk = :pk AND begins_with(#sk, :prefix)";
    const pk = connectorPk(connectorId);
    for await (const { sk } of store.query({ where, values: { pk, prefix: streamPrefix } })) changes.push(change({ pk, sk: String(sk) }));
    await Promise.all(changes);
  }
  return {
    /**
     *     run                                acceptance
     *     lease: 5 → 6
     *                                        the item is deleted: 6 → 7, expires
     *     checkpoint 6 → 7: refused          without this, the run would write the item without its expiry
     */
    expire(connectorId, at) {
      const expressions = ["#version = #version + :one"];
      const set = { expiresAt: Math.ceil(at / second) };
      return each(connectorId, (key) => store.update(key, { set, expressions }, { holds: isLive2, values: { one: 1 } }));
    },
    /** The version stays the same: a run under way may go on, and its next write removes the expiry as well. */
    keep(connectorId) {
      return each(connectorId, (key) => store.update(key, { remove: ["expiresAt"] }, { holds: isLive2 }));
    }
  };
}

// functions/adapters/state-table/state-table.ts
function stateTable(options) {
  const store = dynamodbStore(options);
  return {
    readRun: (connectorId) => readRun(store, connectorId),
    ...acceptedItems(store, streamRetention(store)),
    ...dueItems(store),
    ...statusItems(store),
    ...streamItems(store),
    ...seenItems(store),
    ...apiKeyItems(store),
    ...outageItems(store)
  };
}
async function readRun(store, connectorId) {
  const { pk, sk: accepted } = acceptedKey(connectorId);
  const { sk: due } = dueKey(connectorId);
  const { sk: status } = statusKey(connectorId);
  const [before, after] = await Promise.all([
    collect(store.query({ where: "#pk = :pk AND #sk <= :due", values: { pk, due } })),
    collect(store.query({ where: "#pk = :pk AND #sk >= :status", values: { pk, status } }))
  ]);
  const acceptedItem = before.find(({ sk }) => sk === accepted);
  const dueItem = before.find(({ sk }) => sk === due);
  const statusItem2 = after.find(({ sk }) => sk === status);
  const streams = /* @__PURE__ */ new Map();
  for (const item of after) {
    const stream = streamOfSk(item["sk"]);
    if (stream !== void 0) streams.set(stream, parseItem(item, streamSchema));
  }
  return {
    ...acceptedItem === void 0 ? {} : { accepted: parseItem(acceptedItem, acceptedSchema) },
    ...dueItem === void 0 ? {} : { due: parseItem(dueItem, dueSchema) },
    ...statusItem2 === void 0 ? {} : { status: parseStatus(statusItem2) },
    streams
  };
}
async function collect(items) {
  const collected = [];
  for await (const item of items) collected.push(item);
  return collected;
}

// functions/vendors/trendmicro-cas/fields.ts
var text3 = (doc) => ({ type: "string", doc });
var list = (doc) => ({ type: "array<string>", doc });
var time = (doc) => ({ type: "bigint", doc: `${doc} (epoch ms).` });
var itemFields = {
  event: text3("Kind of event, in the vendor’s words."),
  log_item_id: text3("The vendor’s id of the event."),
  service: text3("The protected service, in the vendor’s words.")
};
var messageFields = {
  scan_type: text3("Real-time or manual scan."),
  affected_user: text3("The user concerned."),
  location: text3("The location of the file or message."),
  detection_time: time("When it was detected"),
  triggered_policy_name: text3("The policy that was triggered."),
  triggered_security_filter: text3("The filter of the policy that was triggered."),
  action: text3("The action that was taken."),
  action_result: text3("Whether that succeeded."),
  mail_message_id: text3("The mail’s Message-ID."),
  mail_message_sender: text3("The mail’s sender."),
  mail_message_recipient: list("The mail’s recipients."),
  mail_message_submit_time: time("When the mail was submitted"),
  mail_message_delivery_time: time("When the mail was delivered"),
  mail_message_subject: text3("The mail’s subject."),
  mail_message_file_name: text3("Name of the attachment."),
  file_name: text3("Name of the file."),
  file_upload_time: time("When the file was uploaded"),
  file_sha1: text3("SHA-1 of the file."),
  file_sha256: text3("SHA-256 of the file."),
  security_risk_name: text3("Name of the risk that was found."),
  detected_by: text3("The technique that found it."),
  risk_level: text3("The vendor’s risk level."),
  threat_type: text3("Kind of threat."),
  virus_name: text3("Name of the malware."),
  detection_type: text3("Kind of detection (Virtual Analyzer)."),
  ransomware_name: text3("Name of the ransomware."),
  triggered_dlp_template: list("The data loss prevention templates that matched.")
};
var trendmicroFields = {
  trendmicro: {
    type: "struct",
    doc: "Every field that the vendor documents. A value that is not of its type is in raw only.",
    fields: { ...itemFields, ...messageFields }
  }
};

// functions/vendors/trendmicro-cas/index.ts
import * as z12 from "zod";

// functions/vendors/trendmicro-cas/links.ts
var withScheme = /^[a-z][a-z0-9+.-]*:\/\//i;
function baseUrlOf(pasted) {
  const text4 = pasted.trim();
  const url = URL.parse(withScheme.test(text4) ? text4 : `https://${text4}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") return pasted;
  return url.origin;
}
function nextRequest(baseUrl, link) {
  const base = new URL(baseUrl);
  const url = readLink(base, link.trim());
  if (url === void 0)
    return failed(failure("link-refused", `The link to the next page is ${quote2(link)}, not an address on ${base.origin}`));
  return ok({ url: `${base.origin}${url.pathname}${url.search}` });
}
function readLink(base, link) {
  if (/[\\\p{Cc}]/u.test(link)) return void 0;
  const url = URL.parse(absolute(base, link));
  return url !== null && leadsTo(base, url) ? url : void 0;
}
function absolute(base, link) {
  if (withScheme.test(link)) return link;
  if (link.startsWith("//")) return `${base.protocol}${link}`;
  if (link.startsWith("/")) return `${base.origin}${link}`;
  return `${base.protocol}//${link}`;
}
function leadsTo(base, url) {
  if (url.hostname !== base.hostname || url.username !== "" || url.password !== "") return false;
  if (url.protocol === base.protocol) return url.port === base.port;
  return base.protocol === "https:" && url.protocol === "http:" && ["", base.port || "443"].includes(url.port);
}
function quote2(link) {
  return JSON.stringify(link.length > 100 ? `${link.slice(0, 100)}…` : link);
}

// functions/domain/record/ocsf.ts
var classes = {
  /** Detection Finding. */
  detection: 2004,
  /** Data Security Finding. */
  "data-security": 2006
};
var activityCreate = 1;
function ocsfIds(finding, severity) {
  const class_uid = classes[finding];
  return {
    class_uid,
    type_uid: class_uid * 100 + activityCreate,
    severity_id: severity === void 0 ? 0 : severities.indexOf(severity) + 1
  };
}

// functions/domain/record/syslog.ts
var facility = 4;
var severityNumbers = { critical: 2, high: 3, medium: 4, low: 5, informational: 6 };
var severityNumberUnknown = 5;
var nil = "-";
function syslogStruct(event) {
  const severity = event.severity === void 0 ? severityNumberUnknown : severityNumbers[event.severity];
  return {
    facility,
    severity,
    priority: facility * 8 + severity,
    timestamp: iso(event.timestamp),
    app_name: event.appName,
    proc_id: nil,
    msg_id: event.msgId,
    message: event.message
  };
}
function cefHeader(text4) {
  return text4.replaceAll(/[\\|]/g, "\\$&").replaceAll(/[\r\n]+/g, " ");
}
var cefEscapes = { "\\": "\\\\", "=": "\\=", "\n": "\\n", "\r": "\\r" };
function cefValue(text4) {
  return text4.replace(/[\\=\n\r]/g, (character) => cefEscapes[character] ?? character);
}

// functions/vendors/trendmicro-cas/wire.ts
import * as z11 from "zod";
var pageSchema = z11.object({
  security_events: z11.array(z11.unknown()),
  next_link: z11.string().nullish(),
  traceId: z11.string().nullish().catch(null)
});
var errorSchema = z11.object({ code: z11.int(), msg: z11.string().max(200) });
var traceSchema = z11.object({ traceId: z11.string().min(1) });
function parsePage2({ body, traceId: sent }) {
  const traceId = traceSchema.safeParse(body).data?.traceId ?? sent;
  const trace = traceId === void 0 ? {} : { traceId };
  const page = pageSchema.safeParse(body);
  if (!page.success) return failed(failure("malformed-response", problemOf(body, page.error), trace));
  const link = page.data.next_link?.trim() ?? "";
  return ok({ items: page.data.security_events.map(toItem), ...link === "" ? {} : { nextLink: link }, ...trace });
}
function problemOf(body, error) {
  const stated = errorSchema.safeParse(body);
  if (stated.success) return `The vendor responded with status 200 and error ${stated.data.code} (${stated.data.msg}) instead of a page`;
  const problems = error.issues.map(({ path: path2, message }) => `${path2.join(".") || "the body"}: ${message}`);
  return `The response is not a page: ${problems.join("; ")}`;
}
function toItem(raw) {
  const item = membersOf(raw);
  const id = idOf(item?.["log_item_id"]) ?? idOf(membersOf(item?.["message"])?.["log_item_id"]);
  return id === void 0 ? { raw } : { id, raw };
}
function idOf(value) {
  return typeof value === "number" && !Number.isSafeInteger(value) ? void 0 : textOf(value) || void 0;
}
function parseItem2(raw) {
  const item = membersOf(raw);
  const message = membersOf(item?.["message"]);
  return item === void 0 || message === void 0 ? void 0 : { item, message };
}
function membersOf(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : void 0;
}
function textOf(value) {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : void 0;
}
function listOf(value) {
  return [value].flat().flatMap((entry) => textOf(entry) ?? []);
}
var timePattern = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)?$/;
var yearZero = Date.parse("0000-01-01T00:00:00Z");
var yearTenThousand = Date.UTC(1e4, 0);
function timeOf(value) {
  const parts = typeof value === "string" ? timePattern.exec(value.trim()) : null;
  if (parts === null) return void 0;
  const [, date, time2, fraction = "", zone = "Z"] = parts;
  const local = Date.parse(`${date}T${time2}${fraction}Z`);
  if (Number.isNaN(local) || new Date(local).getUTCDate() !== Number(date?.slice(-2))) return void 0;
  const at = local - zoneOffset(zone);
  return at >= yearZero && at < yearTenThousand ? at : void 0;
}
function zoneOffset(zone) {
  const digits2 = zone.replaceAll(/\D/g, "");
  const minutes = Number(digits2.slice(0, 2)) * 60 + Number(digits2.slice(2));
  return (zone.startsWith("-") ? -minutes : minutes) * minute;
}

// functions/vendors/trendmicro-cas/cef.ts
var severityWords = {
  critical: "Very-High",
  high: "High",
  medium: "Medium",
  low: "Low",
  informational: "Low"
};
function cefMessage(event, severity, wire) {
  const header2 = [
    "CEF:0",
    "Trend Micro",
    "CAS",
    "5.0",
    "100,101",
    cefHeader(event),
    severity === void 0 ? "Unknown" : severityWords[severity]
  ];
  const values = wire === void 0 ? [] : extension(wire).flatMap(([key, value]) => value ? [`${key}=${cefValue(value)}`] : []);
  return [header2.join("|"), ...values].join(" ");
}
function extension({ item, message }) {
  const recipients = listOf(message["mail_message_recipient"]);
  return [
    ["DevicePayloadId", textOf(item["log_item_id"]) || textOf(message["log_item_id"])],
    ["destinationServiceName", textOf(item["service"])],
    ["cat", textOf(item["event"])],
    ["msg", textOf(message["scan_type"])],
    ["TrendMicroCasAffectedUser", textOf(message["affected_user"])],
    ["TrendMicroCasLocation", textOf(message["location"])],
    ["rt", textOf(message["detection_time"])],
    ["TrendMicroCasPolicyName", textOf(message["triggered_policy_name"])],
    ["TrendMicroCasFilter", textOf(message["triggered_security_filter"])],
    ["act", textOf(message["action"])],
    ["TrendMicroCasThreatType", textOf(message["threat_type"])],
    ["outcome", textOf(message["action_result"])],
    ["suid", textOf(message["mail_message_id"])],
    ["suser", textOf(message["mail_message_sender"])],
    ["duser", recipients.length === 0 ? void 0 : JSON.stringify(recipients)],
    ["start", textOf(message["mail_message_submit_time"])],
    ["end", textOf(message["mail_message_delivery_time"])],
    ["TrendMicroCasMailSubject", textOf(message["mail_message_subject"])],
    ["TrendMicroCasMailFileName", textOf(message["mail_message_file_name"])],
    ["fname", textOf(message["file_name"])]
  ];
}

// functions/vendors/trendmicro-cas/request.ts
var services = [
  "exchange",
  "sharepoint",
  "onedrive",
  "dropbox",
  "box",
  "googledrive",
  "gmail",
  "teams",
  "exchangeserver",
  "salesforce_sandbox",
  "salesforce_production",
  "teams_chat"
];
var events = ["securityrisk", "virtualanalyzer", "ransomware", "dlp"];
var pageItemsMax = 500;
var path = "/v1/siem/security_events";
function streamOf(service, event) {
  return `${service}/${event}`;
}
function describe(stream) {
  const [service = "", event = ""] = stream.split("/");
  return { service, event };
}
function firstRequest(baseUrl, stream, from, to) {
  const url = new URL(path, baseUrl);
  url.search = new URLSearchParams({ ...describe(stream), start: iso(from), end: iso(to), limit: String(pageItemsMax) }).toString();
  return { url: url.href };
}

// functions/vendors/trendmicro-cas/normalise.ts
function normalise({ id, raw }, { stream, receivedAt }) {
  const { service, event } = describe(stream);
  const wire = parseItem2(raw);
  const message = wire?.message ?? {};
  const timestamp = timeOf(message["detection_time"]) ?? receivedAt;
  const severity = wire === void 0 ? void 0 : severityOf(event, message);
  return {
    timestamp,
    msg_class: `trendmicro_cas_logs_${service}`,
    msg_origin: { vendor: "trendmicro", source: "trendmicro_cloud_app_security", category: "cloud_security", processor },
    event_type: event,
    service,
    severity,
    user: textOf(message["affected_user"]),
    location: textOf(message["location"]),
    file_name: firstText(message, "file_name", "mail_message_file_name"),
    file_sha1: textOf(message["file_sha1"])?.toLowerCase(),
    file_sha256: textOf(message["file_sha256"])?.toLowerCase(),
    email_message_id: textOf(message["mail_message_id"]),
    email_sender: textOf(message["mail_message_sender"]),
    email_recipients: listOf(message["mail_message_recipient"]),
    email_subject: textOf(message["mail_message_subject"]),
    threat_name: firstText(message, "ransomware_name", "virus_name", "security_risk_name"),
    threat_type: textOf(message["threat_type"]),
    detected_by: textOf(message["detected_by"]),
    policy_name: textOf(message["triggered_policy_name"]),
    rule_name: textOf(message["triggered_security_filter"]),
    dlp_templates: listOf(message["triggered_dlp_template"]),
    action: textOf(message["action"]),
    outcome: textOf(message["action_result"]),
    trendmicro: wire && { ...documented(itemFields, wire.item), log_item_id: id, ...documented(messageFields, message) },
    syslog: syslogStruct({ timestamp, severity, appName: "trendmicro_cas", msgId: event, message: cefMessage(event, severity, wire) }),
    ...ocsfIds(event === "dlp" ? "data-security" : "detection", severity),
    malformed: wire === void 0 ? true : void 0,
    raw: rawJson(raw)
  };
}
function firstText(message, ...names) {
  return names.map((name) => textOf(message[name])).find((text4) => text4 !== void 0 && text4 !== "");
}
function documented(table, values) {
  const fields = {};
  for (const name in table) fields[name] = fitting(table[name], values[name]);
  return fields;
}
function fitting(field, value) {
  if (field?.type === "bigint") return timeOf(value);
  return field?.type === "array<string>" ? listOf(value) : textOf(value);
}
function severityOf(event, message) {
  const risk = textOf(message["risk_level"])?.toLowerCase() ?? "";
  if (/\bno\b|none|normal|info/.test(risk)) return "informational";
  const stated = ["critical", "high", "medium", "low"].find((level) => risk.includes(level));
  if (stated !== void 0) return stated;
  if (event === "ransomware" || firstText(message, "ransomware_name") !== void 0) return "critical";
  if (firstText(message, "virus_name") !== void 0) return "high";
  return /malware|virus|ransom|phish|spyware|trojan|exploit|compromise/i.test(textOf(message["threat_type"]) ?? "") ? "high" : "medium";
}

// functions/vendors/trendmicro-cas/index.ts
var trendmicroCas = {
  type: "trendmicro-cas",
  title: "Trend Micro Cloud App Security",
  hosts: [
    "api.tmcas.trendmicro.com",
    "api-eu.tmcas.trendmicro.com",
    "api.tmcas.trendmicro.co.jp",
    "api-au.tmcas.trendmicro.com",
    "api.tmcas.trendmicro.co.uk",
    "api-ca.tmcas.trendmicro.com",
    "api.tmcas.trendmicro.com.sg",
    "api-in.tmcas.trendmicro.com"
  ],
  retentionMs: 72 * hour,
  pageItemsMax,
  attributes: z12.strictObject({
    contentTypes: selection(services, ["sharepoint"]).describe("The protected services whose events are collected"),
    eventTypes: selection(events, events).describe("The kinds of event that are collected")
  }),
  // The verdict of Virtual Analyzer, a sandbox, can come minutes after its file.
  lateArrivalMinutes: ({ eventTypes }) => eventTypes.includes("virtualanalyzer") ? 20 : 10,
  baseUrlOf,
  streams: ({ contentTypes, eventTypes }) => contentTypes.flatMap((service) => eventTypes.map((event) => streamOf(service, event))),
  describe,
  firstRequest,
  nextRequest,
  parsePage: parsePage2,
  normalise
};
function selection(allowed, byDefault) {
  const choices = `Allowed: ${allowed.join(", ")}`;
  return z12.array(z12.enum(allowed, { error: ({ input }) => `${JSON.stringify(input)} is not known. ${choices}` }), {
    error: ({ input }) => `It is ${JSON.stringify(input)}, which is not a list. Give a list of one or more. ${choices}`
  }).min(1, { error: `It is empty. Name at least one, or leave it out for ${byDefault.join(", ")}. ${choices}` }).superRefine((chosen, context) => {
    const repeated = chosen.find((value, index) => chosen.indexOf(value) !== index);
    if (repeated !== void 0) context.addIssue(`"${repeated}" is named more than once. Name each once`);
  }).default([...byDefault]);
}

// functions/vendors/index.ts
var vendors = new Map([trendmicroCas].map((vendor) => [vendor.type, vendor]));
var lakeFields = { ...recordFields, ...trendmicroFields };
export {
  acceptConnector,
  collectConnector,
  dispatchDue,
  measureFleet,
  reconcileConnectors,
  retireConnector,
  stateTable,
  vendors
};
