// The functions of release 0.2.0 that use the state table, for the tests of later releases. Do not edit.
// Made by: npx node test/releases/bundle.ts c841c1b101b169269b4321f5cee2541c2b2d4267

// functions/domain/connector-schema.ts
import * as z3 from "zod";

// functions/domain/allowed-hosts.ts
function isAllowedHost(url, allowedHosts) {
  const port = url.port === "" ? url.protocol === "https:" ? "443" : "80" : url.port;
  const forms = [url.hostname, `${url.hostname}:${port}`];
  return allowedHosts.some((allowed) => forms.includes(allowed.toLowerCase()));
}

// functions/domain/filters.ts
import ipaddr from "ipaddr.js";
import { RE2JS, RE2JSSyntaxException } from "re2js";
import * as z2 from "zod";

// functions/domain/problems.ts
var quotedMost = 60;
var keyLike = /(?=[A-Za-z0-9]*[0-9])[A-Za-z0-9]{20}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-/i;
var nameMost = 64;
function quote(value) {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value !== "string") return String(value);
  if (keyLike.test(value.slice(0, 2 * quotedMost))) return `a text of ${value.length} characters`;
  const visible = (text4) => JSON.stringify(text4).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, escaped);
  return value.length <= quotedMost ? visible(value) : `${visible(`${value.slice(0, quotedMost)}…`)} (${value.length} characters)`;
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
  const hint = meant === void 0 ? `There are ${known.join(", ")}.` : `Did you mean ${meant}?`;
  return `${quote(name)} is no attribute of ${what}. ${hint} Rename or remove it.`;
}
function closest(name, known) {
  if (name.length > nameMost) return void 0;
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

// functions/domain/record.ts
import * as z from "zod";
var severities = ["informational", "low", "medium", "high", "critical"];
var recordFields = {
  id: {
    type: "string",
    required: true,
    doc: "Identity of the event: a hash of connector, stream and the vendor’s id. The same event always has the same."
  },
  timestamp: {
    type: "bigint",
    required: true,
    doc: "When the event happened (epoch ms); when it was received, where the vendor’s time cannot be read."
  },
  ingested_at: { type: "bigint", required: true, doc: "When the event was received (epoch ms)." },
  ingest_mode: {
    type: "string",
    required: true,
    values: ["live", "backfill", "rewind"],
    doc: "Why it was read: as it came, later to fill a gap, or because somebody asked for it again."
  },
  tenant_name: { type: "string", required: true, doc: "The tenant of the connector." },
  connector_id: { type: "string", required: true, doc: "The connector that read it." },
  connector_name: { type: "string", required: true, doc: "The connector’s name." },
  domain: { type: "string", required: true, doc: "The base URL it was read from." },
  msg_class: { type: "string", required: true, doc: "Class of the message: vendor, product and content type." },
  msg_origin: {
    type: "struct",
    required: true,
    doc: "Where the message comes from.",
    fields: {
      vendor: { type: "string", required: true, doc: "The vendor." },
      source: { type: "string", required: true, doc: "The vendor’s product." },
      category: { type: "string", required: true, doc: "The kind of product." },
      processor: {
        type: "struct",
        required: true,
        doc: "What brought it here.",
        fields: {
          name: { type: "string", required: true, doc: "Name of the processor." },
          type: { type: "string", required: true, doc: "Kind of processor." }
        }
      }
    }
  },
  event_type: { type: "string", required: true, doc: "Kind of event, as the connector’s eventTypes name it." },
  service: { type: "string", required: true, doc: "The protected service, as the connector’s contentTypes name it." },
  severity: { type: "string", values: severities, doc: "From the vendor’s risk level; from the kind of threat where there is none." },
  user: { type: "string", doc: "The user concerned." },
  location: { type: "string", doc: "Where the file or message lies: a URL, a path or a folder." },
  file_name: { type: "string", doc: "Name of the file or attachment." },
  file_sha1: { type: "string", doc: "SHA-1 of the file, lower-case hex." },
  file_sha256: { type: "string", doc: "SHA-256 of the file, lower-case hex." },
  email_message_id: { type: "string", doc: "The mail’s Message-ID." },
  email_sender: { type: "string", doc: "The mail’s sender." },
  email_recipients: { type: "array<string>", doc: "The mail’s recipients." },
  email_subject: { type: "string", doc: "The mail’s subject." },
  threat_name: { type: "string", doc: "Name of what was found: risk, malware or ransomware." },
  threat_type: { type: "string", doc: "Kind of threat." },
  detected_by: { type: "string", doc: "The technique that found it." },
  policy_name: { type: "string", doc: "The policy that was triggered." },
  rule_name: { type: "string", doc: "The rule or filter of the policy that was triggered." },
  dlp_templates: { type: "array<string>", doc: "The data loss prevention templates that matched." },
  action: { type: "string", doc: "What was done about it." },
  outcome: { type: "string", doc: "Whether that succeeded." },
  syslog: {
    type: "struct",
    required: true,
    doc: "The event as a syslog message (RFC 5424).",
    fields: {
      facility: { type: "int", required: true, doc: "Facility, 0 to 23." },
      severity: { type: "int", required: true, doc: "Severity, 0 (emergency) to 7 (debug)." },
      priority: { type: "int", required: true, doc: "Facility × 8 + severity." },
      timestamp: { type: "string", required: true, doc: "When the event happened (RFC 3339)." },
      hostname: { type: "string", required: true, doc: "Host that it was read from." },
      app_name: { type: "string", required: true, doc: "The product." },
      proc_id: { type: "string", required: true, doc: "The process: “-”, since the vendor names none." },
      msg_id: { type: "string", required: true, doc: "Kind of event." },
      message: { type: "string", required: true, doc: "The event in the vendor’s own syslog format." }
    }
  },
  class_uid: { type: "int", required: true, doc: "OCSF 1.8 class: 2004 Detection Finding, 2006 Data Security Finding." },
  type_uid: { type: "bigint", required: true, doc: "OCSF event type: class × 100 + activity (1, create)." },
  severity_id: { type: "int", required: true, doc: "OCSF severity: 0 unknown, 1 informational, 2 low, 3 medium, 4 high, 5 critical." },
  malformed: { type: "boolean", doc: "True where the item is not what the vendor documents; all there is of it is in raw." },
  raw: { type: "string", required: true, doc: "The item as received (JSON)." },
  raw_encoding: { type: "string", doc: "How raw is encoded where it is not plain text: gzip+base64, or truncated." }
};
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

// functions/domain/result.ts
function ok(value) {
  return { ok: true, value };
}
function failed(failure3) {
  return { ok: false, failure: failure3 };
}

// functions/domain/filters.ts
var filtersMost = 50;
var conditionsMost = 20;
var valuesMost = 1e3;
var valueCharactersMost = 1e3;
var patternsMost = 50;
var patternSizeMost = 2e3;
var comparisons = {
  equals: comparison("It is the value.", readText, foldedText, (wanted) => memberOf(new Set(wanted))),
  in: comparison("It is in the list: the same as equals.", readText, foldedText, (wanted) => memberOf(new Set(wanted))),
  contains: ofTexts("The value is a part of it.", (text4, wanted) => text4.includes(wanted)),
  startsWith: ofTexts("It begins with the value.", (text4, wanted) => text4.startsWith(wanted)),
  endsWith: ofTexts("It ends with the value.", (text4, wanted) => text4.endsWith(wanted)),
  matches: comparison(
    "The regular expression (RE2) matches somewhere in it, with regard to case unless it begins with (?i).",
    readPattern,
    plainText,
    any((text4, pattern) => pattern.test(text4))
  ),
  exists: { doc: "The record has the field. Takes no values.", problem: () => void 0, compile: () => () => true },
  greaterThan: ofNumbers("It is a number greater than the value.", (number7, bound) => number7 > bound),
  greaterOrEqual: ofNumbers("It is a number greater than or equal to the value.", (number7, bound) => number7 >= bound),
  lessThan: ofNumbers("It is a number less than the value.", (number7, bound) => number7 < bound),
  lessOrEqual: ofNumbers("It is a number less than or equal to the value.", (number7, bound) => number7 <= bound),
  inCidr: comparison("It is an IP address in the network.", readNetwork, addressFound, any(isWithin))
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
  if (value === "") return failed("It is an empty text, which no record has. Give some text, or use exists or notExists.");
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
  const rule = "Give a regular expression as RE2 has it: without lookaround and backreferences.";
  if (typeof value !== "string" || value === "") return failed(`It is ${quote(value)}. ${rule}`);
  try {
    const pattern = RE2JS.compile(value);
    if (pattern.programSize() <= patternSizeMost) return ok(pattern);
    return failed(`It is ${quote(value)}, which is too large when its repetitions are written out. Give a simpler regular expression.`);
  } catch (thrown) {
    if (!(thrown instanceof RE2JSSyntaxException)) throw thrown;
    const where = thrown.getPattern() === null ? "" : ` at ${quote(thrown.getPattern())}`;
    return failed(`It is ${quote(value)}, no regular expression: ${thrown.getDescription()}${where}. ${rule}`);
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
var fieldRule = mustBe("the path of a field of the record, such as severity or syslog.facility");
var fieldSchema = z2.string({ error: fieldRule }).max(200, { error: fieldRule }).regex(/^[^.\s\p{C}]+(\.[^.\s\p{C}]+)*$/u, { error: fieldRule }).superRefine((field, context) => {
  const problem = unknownField(field.split("."), recordFields);
  if (problem !== void 0) context.addIssue({ code: "custom", message: problem });
});
function unknownField(path2, table, above = "") {
  const [name = "", ...rest] = path2;
  const field = Object.hasOwn(table, name) ? table[name] : void 0;
  if (field === void 0) {
    if (above === "" && rest.length > 0) return void 0;
    const meant = closest(name, Object.keys(table));
    const vendors2 = above === "" ? "; a vendor’s own are written vendor.field" : "";
    const hint = meant === void 0 ? `There are ${Object.keys(table).join(", ")}${vendors2}.` : `Did you mean ${above}${meant}?`;
    return `${quote(`${above}${name}`)} is no field of a record. ${hint}`;
  }
  if (rest.length === 0) return void 0;
  if (field.type === "struct") return unknownField(rest, field.fields, `${above}${name}.`);
  return `${quote(`${above}${name}`)} has no fields inside. Give it without ${quote(`.${rest.join(".")}`)}.`;
}
var valueRule = mustBe(`a text of at most ${valueCharactersMost} characters, a number, true or false`);
var valuesRule = mustBe(`a list of at most ${valuesMost} texts or numbers, such as ["low"]`);
var conditionSchema = z2.strictObject(
  {
    field: fieldSchema,
    operator: z2.enum(operators, { error: mustBeOneOf(operators) }),
    values: z2.array(z2.union([z2.string().max(valueCharactersMost), z2.number(), z2.boolean()], { error: valueRule }), { error: valuesRule }).max(valuesMost, { error: valuesRule }).default([])
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
var conditionsRule = mustBe(`a list of 1 to ${conditionsMost} conditions`);
var logFilterSchema = z2.strictObject(
  {
    name: z2.string({ error: nameRule }).regex(/^[A-Za-z0-9][A-Za-z0-9._ -]{0,63}$/, { error: nameRule }).refine((name) => !(name in {}), { error: ({ input }) => `It is ${quote(input)}, which is reserved. Give another name.` }),
    conditions: z2.array(z2.unknown(), { error: conditionsRule }).min(1, { error: conditionsRule }).max(conditionsMost, { error: conditionsRule }).pipe(z2.array(conditionSchema)),
    action: z2.enum(["exclude", "include"], { error: mustBeOneOf(["exclude", "include"]) }).default("exclude"),
    shadow: z2.boolean({ error: mustBe("true or false") }).default(false)
  },
  { error: hasOnly("a log filter", ["name", "conditions", "action", "shadow"]) }
);
var filtersRule = mustBe(`a list of at most ${filtersMost} log filters`);
var logFiltersSchema = z2.array(z2.unknown(), { error: filtersRule }).max(filtersMost, { error: filtersRule }).superRefine((filters, context) => {
  const patterns = countPatterns(filters);
  const message = `It has ${patterns} regular expressions. Give at most ${patternsMost}; join some with |.`;
  if (patterns > patternsMost) context.addIssue({ code: "custom", message });
}).pipe(z2.array(logFilterSchema)).superRefine((filters, context) => {
  for (const [index, { name }] of filters.entries()) {
    const first = filters.findIndex((filter) => filter.name === name);
    const message = `${quote(name)} is the name of logFilters[${first}] too. Give each filter a name of its own: it counts under it.`;
    if (first < index) context.addIssue({ code: "custom", path: [index, "name"], message });
  }
});
function countPatterns(filters) {
  return valuesAt(filters, ["conditions"]).filter((condition) => valuesAt(condition, ["operator"]).some((operator) => operator === "matches" || operator === "notMatches")).reduce((sum, condition) => sum + valuesAt(condition, ["values"]).length, 0);
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

// functions/domain/connector-schema.ts
var problemsMost = 50;
var secretsMost = 20;
var horizonMarginMinutes = 10;
function text(pattern, allowed) {
  const error = mustBe(allowed);
  return z3.string({ error }).regex(pattern, { error });
}
function identifier() {
  return text(/^[A-Za-z0-9._-]{1,64}$/, "1 to 64 letters (A to Z), digits, dots, hyphens or underscores");
}
function whole(what, least, most) {
  const error = unquoted(mustBe(`${what}, ${most === void 0 ? `${least} or more` : `from ${least} to ${most}`}`), "N");
  return z3.int({ error }).min(least, { error }).max(most ?? Number.MAX_SAFE_INTEGER, { error });
}
function flag() {
  return z3.boolean({ error: unquoted(mustBe("true or false"), "BOOL") });
}
function unquoted(error, type) {
  return (issue) => `${error(issue)}${typeof issue.input === "string" ? ` It is a text; its type in DynamoDB must be ${type}.` : ""}`;
}
var pemRule = "one or more certificates in PEM form: -----BEGIN CERTIFICATE-----, base64, -----END CERTIFICATE-----";
function pemProblem(pem) {
  if (pem.includes("PRIVATE KEY")) return "It holds a private key. Give certificates only, and make a new key: this one has been shown.";
  const count2 = pem.split("-----BEGIN CERTIFICATE-----").length - 1;
  if (count2 === 0) return `It is a text of ${pem.length} characters without a certificate. Give ${pemRule}.`;
  const whole2 = [...pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----/g)].filter(
    ([, body = ""]) => isCertificate(body)
  );
  if (whole2.length === count2) return void 0;
  return `Of its ${count2} certificates ${count2 - whole2.length} cannot be read. Give ${pemRule}; line breaks are real ones, not "\\n".`;
}
function isCertificate(base64) {
  const text4 = base64.replace(/\s/g, "");
  return text4.length % 4 === 0 && /^MI[A-Za-z0-9+/]+={0,2}$/.test(text4);
}
var secretsRule = mustBe(`a list of 1 to ${secretsMost} names of secrets`);
function secretsError({ input }) {
  if (typeof input !== "string") return secretsRule({ input });
  return `It is a text of ${input.length} characters. Give a list, even of one: ["name"] (DynamoDB type L).`;
}
var attributes = {
  connectorId: identifier().meta({
    kind: "text",
    description: "Key of the table. 1 to 64 letters, digits, dots, hyphens or underscores. Cannot change."
  }),
  type: z3.string({ error: mustBe("the type of a vendor") }).meta({
    kind: "text",
    description: "Which vendor it collects from. Cannot change."
  }),
  name: text(/^(?! )[\x20-\x7e]{1,128}(?<! )$/, "1 to 128 ASCII characters, such as tenant-type").meta({
    kind: "text",
    description: "Shown name, 1 to 128 ASCII characters; by convention tenant-type. Cannot change."
  }),
  tenantName: text(/^(?!\s)[^\p{C}\p{Zl}\p{Zp}]{1,128}(?<!\s)$/u, "1 to 128 printable characters, without blanks at either end").meta({
    kind: "text",
    description: "Whose events they are, 1 to 128 printable characters; it is in every record. Cannot change."
  }),
  baseUrl: z3.string({ error: mustBe("the address of the vendor’s service, https://host") }).meta({
    kind: "text",
    description: "Address of the vendor’s service, https://host; what follows the host in a pasted address is ignored."
  }),
  apiKeySecrets: z3.array(z3.string({ error: mustBe("the name of a secret, a text") }), { error: secretsError }).min(1, { error: secretsError }).max(secretsMost, { error: secretsError }).meta({
    kind: "list of texts",
    description: "Names of 1 to 20 secrets of Secrets Manager under the stack’s prefix, each with an API key as its text, or as name#jsonKey with the key in a JSON object. Several are a pool."
  }),
  contentTypes: z3.unknown().optional().meta({
    kind: "list of texts",
    description: "What is collected, in the vendor’s terms.",
    shownDefault: "the vendor’s"
  }),
  eventTypes: z3.unknown().optional().meta({
    kind: "list of texts",
    description: "The kinds of event that are collected, in the vendor’s terms.",
    shownDefault: "the vendor’s"
  }),
  logFilters: logFiltersSchema.default([]).meta({
    kind: "list of log filters",
    description: "Which events are left out of the lake."
  }),
  disableTlsVerification: flag().default(false).meta({
    kind: "boolean",
    description: "Accept any certificate, on this connector’s connections only. A last resort: tlsCaPem is better."
  }),
  tlsCaPem: z3.string({ error: mustBe(pemRule) }).superRefine((pem, context) => {
    const message = pemProblem(pem);
    if (message !== void 0) context.addIssue({ code: "custom", message });
  }).exactOptional().meta({
    kind: "text",
    description: "Certificates of an own CA, in PEM form, trusted beside the public ones. Not together with disableTlsVerification."
  }),
  enabled: flag().default(true).meta({
    kind: "boolean",
    description: "Whether it collects. What passed meanwhile is read when it is true again, as far as the vendor still has it."
  }),
  intervalMinutes: whole("a whole number of minutes", 1, 60).default(5).meta({
    kind: "number",
    description: "How often it collects, in minutes: 1 to 60."
  }),
  requestsPerMinute: whole("a whole number", 1, 6e3).default(20).meta({
    kind: "number",
    description: "What the vendor allows each API key a minute: 1 to 6000. Of connectors that share a key the lowest counts."
  }),
  requestsPerDay: whole("a whole number", 1).exactOptional().meta({
    kind: "number",
    description: "What the vendor allows each API key in any 24 hours, where it does."
  }),
  rateGroup: identifier().exactOptional().meta({
    kind: "text",
    description: "A name that is the same on connectors whose keys the vendor counts as one customer: they share one limit. As connectorId."
  }),
  initialBackfillMinutes: whole("a whole number of minutes", 0).default(10).meta({
    kind: "number",
    description: `How far back it begins, in minutes: 0 up to ${horizonMarginMinutes} less than the vendor keeps events (72 hours: 4310).`
  }),
  lateArrivalMinutes: whole("a whole number of minutes", 0, 1440).exactOptional().meta({
    kind: "number",
    description: "How late events may show up at the vendor and still are not missed, in minutes: 0 to 1440.",
    shownDefault: "the vendor’s"
  }),
  sharedKey: flag().default(false).meta({
    kind: "boolean",
    description: "That connectors of several tenants use one API key is wanted. All of them must say so."
  })
};
var connectorSchema = z3.object(attributes);
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
    // Of the type there is more to say than the schema knows.
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
    return refuse2(`It is ${quote(baseUrl)}, no web address. Give https:// and one of: ${hosts}.`);
  }
  if (isAllowedHost(url, allowedHosts)) return ok(url.origin);
  if (!vendor.hosts.includes(url.hostname)) {
    return refuse2(`Its host is ${quote(url.hostname)}. Give one of the vendor’s: ${hosts}; or have the operator allow this host.`);
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
    return `It is ${seen} that does not begin with ${quote(prefix)}. Give the name of a secret under that prefix, or name#jsonKey. If it is an API key, store it in a secret and make a new one: this one has been shown.`;
  }
  if (secretName === prefix) return `It is the prefix alone. Give the whole name of a secret, such as ${quote(`${prefix}name`)}.`;
  if (!/^[A-Za-z0-9/_+=.@-]{1,512}$/.test(secretName)) {
    return `It is ${quote(name)}. The name of a secret has 1 to 512 letters (A to Z), digits and / _ + = . @ -. Give it as Secrets Manager shows it.`;
  }
  if (jsonKey !== void 0 && !/^[^\p{C}#]{1,128}$/u.test(jsonKey)) {
    return `It is ${quote(name)}. After # comes the name of one member of the secret’s JSON object, 1 to 128 characters. Give name#jsonKey.`;
  }
  return void 0;
}
function repetition(all, index) {
  const name = all[index];
  const first = name === void 0 ? index : all.indexOf(name);
  return first < index ? `It is ${quote(name)}, as is apiKeySecrets[${first}]. Name each secret once.` : void 0;
}
function backfillProblems({ initialBackfillMinutes }, vendor) {
  const parsed = attributes.initialBackfillMinutes.safeParse(initialBackfillMinutes);
  const most = Math.floor(vendor.horizonMs / minute) - horizonMarginMinutes;
  if (!parsed.success || parsed.data <= most) return [];
  const allowed = mustBe(`a whole number of minutes from 0 to ${most}, since the vendor keeps events no longer`);
  return [{ path: "initialBackfillMinutes", message: allowed({ input: parsed.data }) }];
}
function tlsProblems({ tlsCaPem, disableTlsVerification }, { tlsVerificationOptional }) {
  if (disableTlsVerification === true && !tlsVerificationOptional) {
    const message2 = "It is true, which the operator of this deployment does not allow. Give tlsCaPem, the CA that signed the certificate, instead.";
    return [{ path: "disableTlsVerification", message: message2 }];
  }
  if (tlsCaPem === void 0 || disableTlsVerification !== true) return [];
  const message = "It is of no use together with disableTlsVerification. Keep tlsCaPem and remove disableTlsVerification.";
  return [{ path: "tlsCaPem", message }];
}
function unknownAttributes(item) {
  const known = Object.keys(attributes);
  return Object.keys(item).filter((name) => !known.includes(name)).map((name) => ({ path: pathText([name]), message: unknownName(name, "a connector", known) }));
}
function bounded(problems) {
  const more = problems.length - problemsMost;
  if (more <= 0) return problems;
  return [...problems.slice(0, problemsMost), { path: "item", message: `There are ${more} more problems. Mend these first.` }];
}
var immutable = ["connectorId", "type", "name", "tenantName"];
function immutableProblems(before, after) {
  return immutable.filter((name) => before[name] !== after[name]).map((path2) => ({
    path: path2,
    message: `It is ${quote(after[path2])} and was ${quote(before[path2])} when the connector was accepted; it cannot change. Set it back, or make a connector with another connectorId.`
  }));
}

// functions/domain/failures.ts
var seconds = 1e3;
var minutes = 60 * seconds;
function kind(scope, retryFirstMs, retryMostMs, todo) {
  return { scope, retryFirstMs, retryMostMs, todo };
}
var failureKinds = {
  "bad-request": kind(
    "stream",
    1 * minutes,
    60 * minutes,
    "The vendor calls the request malformed (400). Check contentTypes and eventTypes; give the trace id to the vendor if they are right."
  ),
  unauthorized: kind(
    "key",
    30 * minutes,
    60 * minutes,
    "The vendor rejects the API key (401). Check that it has not expired and belongs to the site of baseUrl, then store a new one in the secret."
  ),
  forbidden: kind(
    "stream",
    5 * minutes,
    60 * minutes,
    "The key has no permission for this content (403). Grant it in the vendor's console or remove the content type from the connector."
  ),
  "not-found": kind(
    "origin",
    1 * minutes,
    15 * minutes,
    "There is no such API at this address (404). Check baseUrl: it is the root of the service, without a path."
  ),
  throttled: kind(
    "key",
    1 * minutes,
    30 * minutes,
    "The vendor says the key asked too often (429), although the limit was kept: something else uses it. Use a key of its own, or lower requestsPerMinute."
  ),
  "vendor-error": kind(
    "stream",
    5 * seconds,
    5 * minutes,
    "The vendor has an error of its own (5xx). It is tried again; give the trace id to the vendor if it lasts."
  ),
  "vendor-overloaded": kind("stream", 15 * seconds, 5 * minutes, "The vendor is overloaded or in maintenance (503). It is tried again."),
  redirected: kind(
    "origin",
    5 * minutes,
    60 * minutes,
    "The address redirects elsewhere, which is never followed. Set baseUrl to the address the API is really at."
  ),
  "unexpected-status": kind(
    "stream",
    1 * minutes,
    15 * minutes,
    "The vendor answered with a status it does not document. Check that baseUrl is the API and not a proxy."
  ),
  "timed-out": kind("stream", 5 * seconds, 5 * minutes, "The vendor did not answer in time. It is tried again."),
  unreachable: kind(
    "origin",
    15 * seconds,
    5 * minutes,
    "The host cannot be reached. Check baseUrl, DNS and that the function may reach the internet."
  ),
  "tls-failed": kind(
    "origin",
    1 * minutes,
    15 * minutes,
    "The certificate is not trusted. Set tlsCaPem to the CA that signed it; disableTlsVerification is the last resort."
  ),
  "address-refused": kind(
    "origin",
    5 * minutes,
    60 * minutes,
    "The host resolves to a private address, which is never connected to. Check baseUrl and DNS."
  ),
  "host-refused": kind(
    "connector",
    5 * minutes,
    60 * minutes,
    "This host is not one of the vendor's. Set baseUrl to one of them, or have the operator allow this host."
  ),
  "too-large": kind("stream", 1 * minutes, 15 * minutes, "The answer is larger than a page can be. Give the trace id to the vendor."),
  "malformed-answer": kind(
    "stream",
    5 * seconds,
    15 * minutes,
    "The answer is not what the vendor documents. Check that baseUrl is the API and not a proxy; give the trace id to the vendor."
  ),
  "link-refused": kind(
    "slice",
    5 * seconds,
    5 * minutes,
    "The link to the next page leads to another host, which is never followed. Give the trace id to the vendor."
  ),
  "link-dead": kind("slice", 0, 1 * minutes, "The link to the next page had died. The slice is read again, narrower."),
  "link-repeats": kind("slice", 0, 1 * minutes, "The links of this slice do not come to an end. It is read again, narrower."),
  "secret-missing": kind("connector", 1 * minutes, 5 * minutes, "The secret does not exist. Create it under exactly this name."),
  "secret-unreadable": kind(
    "connector",
    1 * minutes,
    5 * minutes,
    "The secret cannot be read. Allow secretsmanager:GetSecretValue on it, and kms:Decrypt on its key."
  ),
  "secret-malformed": kind(
    "connector",
    1 * minutes,
    5 * minutes,
    "The secret does not hold an API key: one line of visible ASCII, or a JSON object with the named key. Store it anew."
  ),
  "key-shared": kind(
    "connector",
    5 * minutes,
    60 * minutes,
    "A connector of another tenant uses this API key; both would get the same events. Use a key of its own, or set sharedKey on both."
  ),
  "sink-throttled": kind(
    "sink",
    2 * seconds,
    1 * minutes,
    "Firehose takes no more for now. It is tried again; ask for a higher quota if it lasts."
  ),
  "sink-failed": kind(
    "connector",
    5 * seconds,
    5 * minutes,
    "Firehose refuses the records. Check the delivery stream and the function's permission to write to it."
  )
};
var vendorsOwn = /* @__PURE__ */ new Set(["vendor-error", "vendor-overloaded", "timed-out", "unreachable"]);
function isVendorsOwn(code) {
  return vendorsOwn.has(code);
}
function failure(code, detail, more = {}) {
  return { code, detail, ...more };
}
function failureScope(code) {
  return failureKinds[code].scope;
}
function sayFailure({ code, detail, traceId }) {
  return `${detail}${traceId === void 0 ? "" : ` (trace ${traceId})`}. ${failureKinds[code].todo}`;
}
function retryDelay(code, attempt, random) {
  const { retryFirstMs, retryMostMs } = failureKinds[code];
  const full = Math.min(retryMostMs, retryFirstMs * 2 ** Math.min(attempt - 1, 20));
  return Math.round(full / 2 + full / 2 * random);
}
function isLasting(code, attempts) {
  return attempts >= attemptsPassing || failureKinds[code].retryFirstMs >= 1 * minutes;
}
var attemptsPassing = 3;

// functions/domain/intervals.ts
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
function until(set, end) {
  return set.filter(({ from }) => from < end).map(({ from, to }) => ({ from, to: Math.min(to, end) }));
}
function since(set, start) {
  return set.filter(({ to }) => to > start).map(({ from, to }) => ({ from: Math.max(from, start), to }));
}

// functions/domain/seen.ts
function seenClass(slice2) {
  let k = 0;
  for (let width = 1; width < slice2.to - slice2.from; width *= 4) k += 1;
  return k;
}
function seenClassWidth(k) {
  return 4 ** k;
}

// functions/domain/ledger.ts
var turnPagesMost = 5;
var pacedTurnPagesMost = 20;
var pagesTargetMost = 0.7 * turnPagesMost;
var slicePagesMost = 100;
var narrowestSlicePagesMost = 2e3;
var firstWidthMs = hour;
var widthGrowthMost = 8;
var setAsideMs = hour;
var settleMarginMs = 2 * second;
var clockErrorMostMs = 5 * minute;
var horizonMarginMs = 2 * second;
var horizonStartMs = 2 * minute;
var holesMost = 100;
var hardMost = 20;
var setAsideMost = 100;
var linkTriesMost = 5;
var sliceTriesMost = 3;
function newStream(since2, now) {
  return {
    version: 0,
    since: since2,
    covered: [],
    holes: [],
    freshTo: since2,
    widthMs: firstWidthMs,
    pagesTarget: pagesTargetMost,
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
  return without({ from: stream.since, to: now }, [...stream.covered, ...stream.holes]);
}
function coveredTo(stream, now) {
  return missing(stream, now)[0]?.from ?? now;
}
function open(stream, now) {
  return without({ from: stream.since, to: now }, [...stream.covered, ...stream.holes, ...stream.setAside]);
}
function isUnreadable(stream, now) {
  return missing(stream, now).some((gap) => stream.setAside.some((aside) => overlap(aside, gap)));
}
function settledBefore(readAt, policy) {
  return readAt - policy.lateMs - settleMarginMs - Math.min(Math.abs(policy.clockErrorMs), clockErrorMostMs);
}
function expire(stream, now, policy, pause2) {
  const end = now - policy.horizonMs + horizonStartMs;
  const lost = until(missing(stream, now), end);
  const { slice: slice2, hard, ...rest } = stream;
  const kept = slice2 === void 0 || slice2.to <= end ? rest : { ...rest, slice: slice2 };
  return {
    ...kept,
    ...withoutRead(hard, { from: 0, to: end }),
    holes: lost.reduce((holes, interval2) => addHole(holes, { ...interval2, reason: lostReason(stream, interval2, pause2) }), stream.holes),
    covered: until(since(stream.covered, end), settledBefore(now, policy)),
    since: Math.max(stream.since, end),
    setAside: stream.setAside.filter(({ until: until2, to }) => until2 > now && to > end),
    seenClasses: Object.fromEntries(Object.entries(stream.seenClasses).filter(([, at]) => at > now - policy.horizonMs - day))
  };
}
function lostReason(stream, lost, pause2) {
  if (stream.setAside.some((aside) => overlap(aside, lost))) return "unreadable";
  return pause2 !== void 0 && overlap(pause2, lost) ? "paused" : "horizon";
}
function overlap(a, b) {
  return a.from < b.to && b.from < a.to;
}
function addHole(holes, hole2) {
  const last = holes.at(-1);
  const touches = last !== void 0 && last.to >= hole2.from && last.reason === hole2.reason;
  const next = touches ? [...holes.slice(0, -1), { ...last, to: hole2.to }] : [...holes, hole2];
  return next.slice(-holesMost);
}
function liveIsDue(stream, now, policy) {
  if (stream.slice !== void 0 && isLive(stream.slice.kind)) return true;
  const wantedTo = Math.min(now, policy.wantedTo);
  if (stream.freshTo < floorToSecond(Math.max(now - policy.intervalMs / 2, wantedTo))) return true;
  return tailStart(stream, now) < settledBefore(wantedTo, policy) && tailFits(stream, now);
}
function isLive(kind2) {
  return kind2 === "tail" || kind2 === "fresh";
}
function planLive(stream, now, policy) {
  const end = floorToSecond(now);
  const from = tailStart(stream, now);
  if (tailFits(stream, now)) return plan(stream, "tail", from, end);
  return plan(stream, "fresh", Math.max(from, stream.freshTo, floorToSecond(settledBefore(now, policy))), end);
}
function planHole(stream, now, policy) {
  const gap = settledGaps(stream, now, policy)[0];
  return gap === void 0 ? void 0 : plan(stream, "settling", gap.from, gap.to);
}
function settledGaps(stream, now, policy) {
  const end = floorToSecond(settledBefore(now, policy));
  const gaps = until(open(stream, now), end);
  const tail = tailStart(stream, now);
  const worthwhile = Math.min(stream.widthMs, policy.intervalMs / 2);
  const wanted = settledBefore(policy.wantedTo, policy);
  return gaps.filter(({ from, to }) => from < tail || !tailFits(stream, now) && (to - from >= worthwhile || from < wanted));
}
function planReread(stream) {
  const next = stream.reread === void 0 ? void 0 : without(stream.reread, stream.setAside)[0];
  return next === void 0 ? void 0 : plan(stream, "reread", next.from, next.to);
}
function beginReread(stream, now, policy) {
  if (stream.reread !== void 0 || stream.nextRereadAt > now) return stream;
  const to = floorToSecond(coveredTo(stream, now));
  const from = Math.max(stream.since, to - day);
  if (from >= to || to < settledBefore(now, policy) - 2 * policy.intervalMs) return stream;
  return { ...stream, reread: { from, to }, nextRereadAt: now + day };
}
function tailStart(stream, now) {
  return open(stream, now).at(-1)?.from ?? now;
}
function tailFits(stream, now) {
  const tail = { from: tailStart(stream, now), to: now };
  return tail.to - tail.from <= stream.widthMs && !isHard(stream, tail);
}
function plan(stream, kind2, from, end) {
  if (from >= end) return void 0;
  const most = Math.min(end, from + stream.widthMs, ...(stream.hard ?? []).map((place) => easyTo(place, from)));
  const whole2 = floorToSecond(most);
  return { kind: kind2, from, to: whole2 > from ? whole2 : most, page: 0, items: 0 };
}
function easyTo(place, from) {
  if (place.from > from) return place.from;
  return place.to > from ? Math.min(place.to, from + place.widthMs) : Number.POSITIVE_INFINITY;
}
function askedRange(slice2) {
  return { from: slice2.from - 1, to: slice2.to + 1 };
}
function completeSlice(stream, slice2, receivedAt, policy) {
  const { slice: _, reread, hard, ...rest } = stream;
  const aheadMs = Math.min(Math.max(0, policy.clockErrorMs), clockErrorMostMs);
  const proven = {
    from: Math.max(slice2.from, receivedAt - policy.horizonMs + horizonMarginMs + aheadMs),
    to: Math.min(slice2.to, settledBefore(slice2.readSince ?? receivedAt, policy))
  };
  const left = slice2.kind === "reread" && reread !== void 0 && slice2.to < reread.to ? { from: slice2.to, to: reread.to } : void 0;
  const rereadLeft = slice2.kind === "reread" ? left : reread;
  return {
    ...rest,
    ...rereadLeft === void 0 ? {} : { reread: rereadLeft },
    ...withoutRead(hard, slice2),
    covered: slice2.kind === "fresh" ? stream.covered : union2(stream.covered, proven),
    freshTo: Math.max(stream.freshTo, slice2.to),
    widthMs: nextWidth(stream, slice2, policy),
    pagesTarget: Math.min(pagesTargetMost, stream.pagesTarget * 1.25),
    paced: false
  };
}
function nextWidth(stream, slice2, policy) {
  const width = slice2.to - slice2.from;
  const wanted = stream.pagesTarget * policy.pageItemsMax;
  const ideal = slice2.items === 0 ? Number.POSITIVE_INFINITY : Math.floor(width * wanted / slice2.items);
  const most = Math.max(stream.widthMs, width * widthGrowthMost);
  return Math.max(1, Math.min(ideal, most, policy.horizonMs));
}
function sliceIsEndless(slice2) {
  return slice2.page >= (slice2.to - slice2.from > 1 ? slicePagesMost : narrowestSlicePagesMost);
}
function giveUpSlice(stream, slice2, now) {
  const { slice: _, ...rest } = stream;
  const width = slice2.to - slice2.from;
  const narrower = Math.floor(Math.min(width / 2, slice2.page > turnPagesMost ? width * pagesTargetMost / slice2.page : width));
  const widthMs = Math.max(1, narrower);
  const given = {
    ...rest,
    widthMs,
    pagesTarget: Math.max(0.7, Math.min(pagesTargetMost, slice2.page * 0.7)),
    paced: true
  };
  return width > 1 ? withHard(given, slice2, widthMs) : leaveAlone(given, slice2, now);
}
function narrowSlice(stream, slice2, now) {
  const width = slice2.to - slice2.from;
  return width > 1 ? withHard(stream, slice2, Math.floor(width / 2)) : leaveAlone(stream, slice2, now);
}
function isHard({ hard = [] }, slice2) {
  return hard.some((place) => overlap(place, slice2));
}
function withHard(stream, { from, to }, widthMs) {
  const others = (stream.hard ?? []).filter((place) => !overlap(place, { from, to }));
  return { ...stream, hard: [...others, { from, to, widthMs }].slice(-hardMost) };
}
function leaveAlone(stream, { from, to }, now) {
  const until2 = now + setAsideMs;
  const last = stream.setAside.at(-1);
  const setAside = last !== void 0 && last.to === from ? [...stream.setAside.slice(0, -1), { from: last.from, to, until: until2 }] : [...stream.setAside, { from, to, until: until2 }].slice(-setAsideMost);
  const { hard, ...rest } = stream;
  const passed = withoutRead(hard, { from, to });
  return withHard({ ...rest, ...passed, setAside }, { from: to, to: to + 2 }, 1);
}
function withoutRead(hard, slice2) {
  const left = (hard ?? []).flatMap((place) => {
    if (!overlap(place, slice2)) return [place];
    return slice2.to < place.to ? [{ ...place, from: slice2.to }] : [];
  });
  return left.length === 0 ? {} : { hard: left };
}
function keepSeenClass(stream, slice2, now) {
  return { ...stream, seenClasses: { ...stream.seenClasses, [seenClass(slice2)]: now } };
}

// functions/domain/status.ts
var daysKept = 8;
var horizonWarnMs = day;
var changesKept = 20;
var dropOffAfterDays = 6;
function newStatus(now, tenantName) {
  const tenant = tenantName === void 0 ? {} : { tenantName };
  return { state: "starting", reason: "", since: now, ...tenant, rejectedKeys: {}, problems: [], days: {}, turns: 0 };
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
    site: connector2.baseUrl,
    lastRunAt: now,
    lagMs: now - oldest,
    horizonInMs: oldest + policy.horizonMs - now,
    streamsBehind: [...streams.values()].filter((stream) => settledGaps(stream, now, policy).length > 0).length,
    holes: [...streams.values()].reduce((sum, { holes }) => sum + holes.length, 0),
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
  return { ...rest, ...to, since: since2, changes: [...status.changes ?? [], change].slice(-changesKept) };
}
function withRefusedEdit(status, problems, now) {
  const [said, before] = [problems, status.problems].map((each) => sayRefusedEdit(each).join(" "));
  if (said === void 0 || said === before) return status;
  const change = { from: status.state, to: status.state, reason: said, since: now, refusedEdit: true };
  return { ...status, problems, changes: [...status.changes ?? [], change].slice(-changesKept) };
}
function sayRefusedEdit(problems) {
  return problems.map(({ path: path2, message }) => `The last edit was refused, the version before it goes on: ${path2}: ${message}`);
}
function sameCause(a, b) {
  return a === b || a !== void 0 && b !== void 0 && isVendorsOwn(a) && isVendorsOwn(b);
}
function changesLeft({ changes = [] }, told = []) {
  return changes.filter(({ since: since2, to }) => !told.some((change) => change.since === since2 && change.to === to));
}
function withoutTold(status, told) {
  const { changes: _, ...rest } = status;
  const left = changesLeft(status, told);
  return left.length === 0 ? rest : { ...rest, changes: left };
}
function hasDroppedOff({ days }, now) {
  const delivered = (daysAgo) => days[iso(now - daysAgo * day).slice(0, 10)]?.delivered ?? 0;
  const before = Array.from({ length: dropOffAfterDays }, (_, i) => delivered(i + 2));
  return delivered(0) === 0 && delivered(1) === 0 && before.every((count2) => count2 > 0);
}
function judge(status, report) {
  const { now, streams, policy, unusableKeys, elsewhere } = report;
  const troubled2 = [...streams].flatMap(
    ([id, stream]) => stream.trouble !== void 0 && isLasting(stream.trouble.failure.code, stream.trouble.attempts) ? [{ id, trouble: stream.trouble }] : []
  );
  const backlog = [...streams.values()].some(
    (stream) => settledGaps(stream, now, policy).length > 0 || isUnreadable(stream, now) || now - stream.freshTo > policy.intervalMs * 2
  );
  const unread2 = [...streams.values()].every((stream) => stream.lastReadAt === void 0);
  const lateFound = [...streams.values()].reduce((sum, stream) => sum + stream.counts.late, 0);
  const notes = [
    ...unusableKeys,
    ...elsewhere === void 0 || elsewhere.taken === 0 ? [] : [
      `Throttled by another consumer: about ${elsewhere.taken} of the ${elsewhere.limit} requests a minute go elsewhere. Use a key of its own, or lower requestsPerMinute.`
    ],
    ...lateFound > 0 ? [`${lateFound} events so far came later than lateArrivalMinutes and were found by the daily second look. Raise it.`] : [],
    ...sayRefusedEdit(status.problems)
  ];
  const said = (state2, ...first) => ({ state: state2, reason: [...first, ...notes].join(" ") });
  if (status.trouble !== void 0) return { ...said("failing", sayFailure(status.trouble.failure)), cause: status.trouble.failure.code };
  if (backlog && (status.horizonInMs ?? Number.POSITIVE_INFINITY) < horizonWarnMs) {
    return said(
      "losing-data",
      `Events are lost in ${hoursText(status.horizonInMs ?? 0)} unless the backlog is read by then: the vendor keeps them ${hoursText(policy.horizonMs)}. Add a key of its own, or fewer streams.`
    );
  }
  const [worst] = troubled2;
  if (worst !== void 0) {
    const reasons = troubled2.slice(0, 3).map(({ id, trouble }) => `${id}: ${sayFailure(trouble.failure)}`);
    const own = troubled2.find(({ trouble }) => !isVendorsOwn(trouble.failure.code)) ?? worst;
    return { ...said("failing", ...reasons), cause: own.trouble.failure.code };
  }
  if (elsewhere !== void 0 && elsewhere.taken > 0) return said("throttled");
  if (unread2) return said("starting");
  return backlog ? said("catching-up", `Older events are still being read; proven complete to ${iso(now - (status.lagMs ?? 0))}.`) : said("ok");
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

// functions/flows/open-keys.ts
var usersKeptMs = 2 * day;
async function openKey(ports, connector2, reference, now, options = {}) {
  const secret = await ports.secrets.read(reference, options);
  if (!secret.ok) return secret;
  const hashKey = await ports.state.fingerprintKey(ports.newFingerprintKey());
  const fingerprint = ports.keyedDigest(hashKey, secret.value.apiKey).slice(0, 32);
  const users = await ports.state.registerKeyUser(fingerprint, keyUser(connector2, now), now);
  const stranger = users.find((user) => user.tenantName !== connector2.tenantName && !(user.sharedKey && connector2.sharedKey));
  if (stranger !== void 0) {
    await ports.state.forgetKeyUser(fingerprint, connector2.connectorId);
    return failed(sharedWith(reference, stranger));
  }
  const gates = [gateOf(fingerprint, users)];
  if (connector2.rateGroup !== void 0) {
    const group = `GROUP:${ports.digest(`${connector2.type}
${connector2.rateGroup}`).slice(0, 32)}`;
    gates.unshift(gateOf(group, await ports.state.registerKeyUser(group, keyUser(connector2, now), now)));
  }
  return ok({ reference, ...secret.value, fingerprint, gates });
}
async function openKeys(ports, connector2, now) {
  const keys = [];
  const failures = [];
  for (const reference of connector2.apiKeySecrets) {
    const opened = await openKey(ports, connector2, reference, now);
    if (!opened.ok) failures.push(opened.failure);
    else if (!keys.some(({ fingerprint }) => fingerprint === opened.value.fingerprint)) keys.push(opened.value);
  }
  return { keys, failures };
}
async function closeKeys(ports, connector2, now) {
  const { keys } = await openKeys(ports, connector2, now);
  for (const { gates } of keys) {
    for (const { bucket } of gates) await ports.state.forgetKeyUser(bucket, connector2.connectorId);
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
function gateOf(bucket, users) {
  const perDay = users.flatMap(({ requestsPerDay }) => requestsPerDay === void 0 ? [] : [requestsPerDay]);
  return {
    bucket,
    limit: Math.min(...users.map(({ requestsPerMinute }) => requestsPerMinute)),
    ...perDay.length === 0 ? {} : { perDay: Math.min(...perDay) }
  };
}
function sharedWith(reference, stranger) {
  return failure("key-shared", `The API key in ${secretText(reference)} is used by connector ${stranger.connectorId} of another tenant`);
}

// functions/domain/notices.ts
var todos = {
  starting: "Nothing: it is read for the first time, or anew after an edit.",
  ok: "Nothing.",
  "catching-up": "Nothing, unless it lasts: then add a key of its own, or fewer streams.",
  throttled: "Use a key that nothing else uses, or lower requestsPerMinute.",
  "losing-data": "Add a key of its own, or fewer streams, before the horizon is reached.",
  failing: "See the reason.",
  refused: "Correct the item in the connectors table; it is checked again at once.",
  paused: "Nothing. Set enabled to true to go on; what is older than the vendor keeps is lost by then.",
  retired: "Nothing. Write the item again within 4 days to go on where it stopped."
};
var troubled = /* @__PURE__ */ new Set(["failing", "losing-data", "throttled", "refused"]);
function changeNotice(connector2, change) {
  const { from, to, reason, since: since2, cause, refusedEdit } = change;
  const { connectorId, tenantName, vendor } = connector2;
  const todo = refusedEdit === true ? todos.refused : cause === void 0 ? todos[to] : failureKinds[cause].todo;
  const what = refusedEdit === true ? `${to}, but an edit was refused at` : `${from} → ${to} since`;
  const detail = {
    attention: attentionOf(change),
    summary: `Connector ${connectorId} of ${tenantName}: ${what} ${iso(since2)}. ${reason === "" ? todo : reason}`,
    vendor,
    tenantName,
    connectorId,
    from,
    to,
    reason,
    since: iso(since2),
    todo,
    ...cause === void 0 ? {} : { cause }
  };
  return { type: "Connector State Changed", detail };
}
function attentionOf({ from, to, cause, causeBefore, refusedEdit }) {
  if (refusedEdit === true) return "problem";
  if (troubled.has(to)) return cause !== void 0 && isVendorsOwn(cause) ? "none" : "problem";
  if (!troubled.has(from) || to === "paused" || to === "retired" || to === "starting" && from !== "refused") return "none";
  return causeBefore !== void 0 && isVendorsOwn(causeBefore) ? "none" : "recovery";
}
function outageNotice({ vendor, site, since: since2, reason }, until2) {
  const todo = "Nothing, unless it lasts for hours: then ask the vendor. What was missed is read when the site is back.";
  const shared = { vendor, site, since: iso(since2), reason, todo };
  if (until2 === void 0) {
    const summary2 = `${site} (${vendor}) fails since ${iso(since2)}: ${reason} ${todo}`;
    return { type: "Vendor Outage Began", detail: { attention: "problem", summary: summary2, ...shared } };
  }
  const summary = `${site} (${vendor}) answers again, seen at ${iso(until2)}; it had failed since ${iso(since2)}. What was missed is being read.`;
  return { type: "Vendor Outage Ended", detail: { attention: "recovery", summary, ...shared, until: iso(until2) } };
}

// functions/flows/tell-changes.ts
async function tellChanges(ports, connectorId, amended) {
  const { state: state2, bus, log } = ports;
  if (amended === void 0) return;
  const changes = changesLeft(amended.after, amended.before?.changes);
  if (changes.length === 0) return;
  const { tenantName = "unknown", vendor = "unknown", site } = amended.after;
  try {
    const notices = changes.map((change) => changeNotice({ connectorId, tenantName, vendor }, change));
    const outage = changes.find(({ to, cause }) => to === "failing" && cause !== void 0 && isVendorsOwn(cause));
    if (outage?.cause !== void 0 && site !== void 0) {
      const { cause, reason, since: since2 } = outage;
      await beginOutage(ports, { vendor, site, cause, reason, since: since2, told: false });
    }
    await bus.put(notices);
    await state2.amendStatus(connectorId, (before) => before === void 0 ? void 0 : withoutTold(before, changes));
  } catch (error) {
    log({ level: "warn", event: "change-untold", connectorId, message: "its change of state is told later", error });
  }
}
async function beginOutage(ports, outage) {
  if (await ports.state.beginOutage(outage)) await tellOutage(ports, outage);
}
async function tellOutage({ bus, state: state2 }, outage) {
  await bus.put([outageNotice(outage)]);
  await state2.outageTold(outage);
}

// functions/flows/accept-connector.ts
var writesMost = 5;
async function acceptConnector(ports, policy, connectorId, item) {
  const { state: state2, clock, log } = ports;
  const itemDigest = digestOf(ports, item);
  for (let write = 0; write < writesMost; write++) {
    const before = await state2.readAccepted(connectorId);
    const checked = await check(ports, policy, item, before?.connector);
    if (!checked.ok) return refuse(ports, connectorId, item, checked.problems, before);
    const now = clock.now();
    const after = acceptance(checked.connector, itemDigest, before, ports.vendors, now);
    const unchanged = before !== void 0 && before.retiredAt === void 0 && before.itemDigest === itemDigest;
    if (!unchanged && !await state2.writeAccepted(after, before)) continue;
    const { connector: connector2 } = after;
    const accepted = await state2.amendStatus(connectorId, (status) => {
      const { trouble: _, ...mended } = status ?? newStatus(now, connector2.tenantName);
      const known = unchanged && status !== void 0 ? status : mended;
      const whose = { tenantName: connector2.tenantName, vendor: connector2.type, site: connector2.baseUrl };
      const clean = { ...known, ...whose, problems: [], rejectedKeys: unchanged ? known.rejectedKeys : {} };
      if (!connector2.enabled) return withState(clean, { state: "paused", reason: "enabled is false: nothing is collected." }, now);
      if (unchanged && status !== void 0 && status.state !== "refused") return clean;
      return withState(clean, { state: "starting", reason: "" }, now);
    });
    await tellChanges(ports, connectorId, accepted);
    if (unchanged) return makeDueIfNever(ports, connector2, now);
    await leaveKeys(ports, before?.connector, connector2, now);
    log({ level: "info", event: "connector-accepted", connectorId, message: before === void 0 ? "new" : "changed" });
    if (!connector2.enabled) return state2.removeDue(connectorId);
    await state2.makeDue(connectorId, now, floorToSecond(now));
    return ports.queue.send(connectorId, 0);
  }
  throw new Error(`The acceptance of connector ${connectorId} was written by others ${writesMost} times in a row.`);
}
async function makeDueIfNever({ state: state2, queue }, { connectorId, enabled }, now) {
  if (!enabled || (await state2.readRun(connectorId)).due !== void 0) return;
  await state2.makeDue(connectorId, now, floorToSecond(now));
  await queue.send(connectorId, 0);
}
async function retireConnector(ports, connectorId) {
  const { state: state2, clock, log } = ports;
  const before = await state2.readAccepted(connectorId);
  const now = clock.now();
  if (before !== void 0 && before.retiredAt === void 0) {
    if (!await state2.writeAccepted({ ...before, retiredAt: now }, before)) return;
    await closeKeys(ports, before.connector, now);
    log({ level: "info", event: "connector-retired", connectorId, message: "its item was deleted" });
  }
  await state2.removeDue(connectorId);
  const retired = await state2.amendStatus(connectorId, (status) => ({
    ...withState(
      status ?? newStatus(now),
      { state: "retired", reason: "The item was deleted. The same id resumes where it stopped, within 4 days." },
      now
    ),
    problems: []
  }));
  await tellChanges(ports, connectorId, retired);
}
async function check(ports, policy, item, before) {
  const parsed = parseConnector(item, { ...policy, vendors: ports.vendors });
  if (!parsed.ok) return parsed;
  const fixed = before === void 0 ? [] : immutableProblems(before, parsed.connector);
  if (fixed.length > 0) return { ok: false, problems: fixed };
  const { failures } = await openKeys(ports, parsed.connector, ports.clock.now());
  const shared = failures.filter(({ code }) => code === "key-shared");
  if (shared.length === 0) return parsed;
  return { ok: false, problems: shared.map((failure3) => ({ path: "apiKeySecrets", message: sayFailure(failure3) })) };
}
async function leaveKeys(ports, before, after, now) {
  const kept = new Set(after.apiKeySecrets.map(secretText));
  const left = before?.apiKeySecrets.filter((reference) => !kept.has(secretText(reference))) ?? [];
  if (before === void 0 || left.length === 0) return;
  await closeKeys(ports, { ...before, apiKeySecrets: left }, now);
  await openKeys(ports, after, now);
}
async function refuse(ports, connectorId, item, problems, before) {
  const { state: state2, clock, log } = ports;
  const now = clock.now();
  const running = before !== void 0 && before.retiredAt === void 0;
  const said = problems.map(({ path: path2, message }) => `${path2}: ${message}`).join(" ");
  const tenantName = typeof item["tenantName"] === "string" ? item["tenantName"].slice(0, 128) : void 0;
  const vendor = typeof item["type"] === "string" && ports.vendors.has(item["type"]) ? { vendor: item["type"] } : {};
  const refused = await state2.amendStatus(connectorId, (status) => {
    const known = { ...vendor, ...status ?? newStatus(now, tenantName) };
    if (running) return withRefusedEdit(known, problems, now);
    return withState({ ...known, problems }, { state: "refused", reason: `The item was not accepted. ${said}` }, now);
  });
  log({ level: "warn", event: "connector-refused", connectorId, message: said, goesOnWithAccepted: running });
  await tellChanges(ports, connectorId, refused);
}
function acceptance(connector2, itemDigest, before, vendors2, now) {
  const streams = vendors2.get(connector2.type)?.streams(connector2) ?? [];
  const streamsSince = { ...before?.streamsSince };
  for (const stream of streams) streamsSince[stream] ??= now;
  const lastPause = pause(connector2, before, now);
  return { connector: connector2, itemDigest, acceptedAt: now, streamsSince, ...lastPause === void 0 ? {} : { lastPause } };
}
function pause(connector2, before, now) {
  const open2 = before?.lastPause !== void 0 && before.lastPause.to === void 0 ? before.lastPause.from : before?.retiredAt;
  if (connector2.enabled) return open2 === void 0 ? before?.lastPause : { from: open2, to: now };
  return { from: open2 ?? now };
}
function digestOf({ digest }, item) {
  return digest(canonical(item));
}
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1);
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(",")}}`;
}
async function reconcileConnectors(ports, policy, items) {
  const settled = /* @__PURE__ */ new Set();
  for await (const { connectorId, status } of ports.state.fleet()) {
    if (status.problems.length === 0 && status.state !== "refused" && status.state !== "starting") settled.add(connectorId);
  }
  const accepted = /* @__PURE__ */ new Map();
  for await (const { connector: connector2, itemDigest, retiredAt } of ports.state.allAccepted()) {
    if (retiredAt === void 0) accepted.set(connector2.connectorId, itemDigest);
  }
  const there = /* @__PURE__ */ new Set();
  for await (const item of items) {
    const connectorId = item["connectorId"];
    if (typeof connectorId !== "string") continue;
    there.add(connectorId);
    if (accepted.get(connectorId) === digestOf(ports, item) && settled.has(connectorId)) continue;
    try {
      await acceptConnector(ports, policy, connectorId, item);
    } catch (error) {
      ports.log({ level: "error", event: "acceptance-failed", connectorId, message: "the other connectors go on", error });
    }
  }
  for (const connectorId of accepted.keys()) {
    if (!there.has(connectorId)) await retireConnector(ports, connectorId);
  }
}

// functions/domain/stream-counts.ts
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

// functions/domain/tokens.ts
var windowMs = minute + 1;
var clocksApartMs = second;
var tokenUseWithinMs = 10 * second;
var requestTimeoutMs = 30 * second;
var unsettledMs = tokenUseWithinMs + requestTimeoutMs + windowMs + clocksApartMs;
var closureMostMs = 30 * minute;
var retryAfterMostMs = hour;
var probeFirstMs = hour;
var probeMostMs = day;
function newBucket(limit) {
  return {
    version: 0,
    limit,
    n: limit,
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
  return limit < bucket.n ? { ...bucket, limit, n: limit } : { ...rest, limit, n: limit };
}
function takeToken(bucket, request) {
  const { now, by } = request;
  const clock = clockOf(by);
  const freeAt = (token2) => token2.settled && clockOf(token2.by) !== clock ? token2.at + clocksApartMs : token2.at;
  const counting = bucket.tokens.filter((token2) => freeAt(token2) > now).sort((a, b) => freeAt(a) - freeAt(b));
  const surplus = counting.length - bucket.n;
  const former = surplus < 0 ? void 0 : counting[surplus];
  if (former !== void 0 && !former.settled) {
    return { kind: "none", freeAt: Math.max(now + second, former.at - tokenUseWithinMs - requestTimeoutMs) };
  }
  const earliest = Math.max(now, former === void 0 ? 0 : freeAt(former), bucket.closedUntil, request.notBefore ?? 0);
  const goAt = request.perDay === void 0 ? earliest : dayFreeAt(bucket.hours, request.perDay, earliest);
  const grant = { by, goAt, cutAt: bucket.cutAt };
  const token = { at: goAt + unsettledMs, by, settled: false };
  return {
    kind: "taken",
    grant,
    bucket: { ...bucket, tokens: [...counting, token], hours: countHour(bucket.hours, goAt, 1) }
  };
}
function postponeToken(bucket, grant, goAt) {
  const tokens = bucket.tokens.map((token) => token.by === grant.by ? { ...token, at: goAt + unsettledMs } : token);
  return { bucket: { ...bucket, tokens }, grant: { ...grant, goAt } };
}
function settleToken(bucket, settlement) {
  const { grant } = settlement;
  if (settlement.outcome === "unsent") {
    const mine = bucket.tokens.some((token) => token.by === grant.by);
    if (!mine) return bucket;
    const tokens = bucket.tokens.filter((token) => token.by !== grant.by);
    return { ...bucket, tokens, hours: countHour(bucket.hours, grant.goAt, -1) };
  }
  const { receivedAt } = settlement;
  const settled = { at: receivedAt + windowMs, by: grant.by, settled: true };
  const kept = { ...bucket, tokens: bucket.tokens.map((token) => token.by === grant.by ? settled : token) };
  return settlement.outcome === "answered" ? learnFromAnswer(kept, receivedAt) : learnFromRefusal(kept, settlement);
}
function learnFromAnswer(bucket, at) {
  const { n, limit, refusedLevel } = bucket;
  const calm = bucket.closureMs === 0 ? bucket : { ...bucket, closureMs: 0 };
  if (at < calm.raiseAt) return calm;
  if (refusedLevel !== void 0 && n >= refusedLevel) {
    const { refusedLevel: _, ...proven } = calm;
    return { ...proven, probeAfterMs: probeFirstMs };
  }
  const ceiling = refusedLevel === void 0 ? limit : at >= calm.probeAt ? refusedLevel : Math.max(1, refusedLevel - 1);
  return n < ceiling ? { ...calm, n: n + 1, raiseAt: at + minute } : calm;
}
function learnFromRefusal(bucket, refusal) {
  const { receivedAt, random, grant } = refusal;
  const wished = refusal.retryAfterMs === void 0 ? windowMs : Math.min(refusal.retryAfterMs, retryAfterMostMs);
  if (grant.cutAt !== bucket.cutAt) return { ...bucket, closedUntil: Math.max(bucket.closedUntil, receivedAt + wished) };
  const { n, refusedLevel } = bucket;
  const probed = n === refusedLevel;
  const closureMs = n === 1 ? Math.min(closureMostMs, Math.max(windowMs, bucket.closureMs * 2)) : 0;
  const closedUntil = Math.max(bucket.closedUntil, receivedAt + Math.max(wished, Math.round(closureMs * (1 + random / 10))));
  const probeAfterMs = probed ? Math.min(probeMostMs, bucket.probeAfterMs * 2) : probeFirstMs;
  return {
    ...bucket,
    n: probed ? Math.max(1, n - 1) : Math.max(1, Math.floor(n / 2)),
    closedUntil,
    cutAt: receivedAt,
    closureMs,
    refusedLevel: n,
    probeAfterMs,
    probeAt: receivedAt + probeAfterMs,
    raiseAt: closedUntil + minute
  };
}
function takenElsewhere(bucket) {
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

// functions/domain/turns.ts
var holeTurnEvery = 5;
var liveWaitMostMs = 65 * second;
var holeWaitMostMs = 15 * second;
function nextTurn(streams, turns, now, policy) {
  const ready = [...streams].filter(([, stream]) => stream.trouble === void 0 || stream.trouble.until <= now);
  const edge = best(ready, (stream) => liveIsDue(stream, now, policy) ? lastServedAt(stream) : void 0);
  const live = turnOf(edge, (stream) => planLive(stream, now, policy), liveWaitMostMs);
  const unpaced = ready.filter(([, { paced }]) => !paced);
  const oldest = (of) => best(of, (stream) => holeStart(stream, now, policy));
  const hole2 = turnOf(
    (turns % 2 === 0 ? oldest(unpaced) : void 0) ?? oldest(ready),
    (stream) => planHole(stream, now, policy),
    holeWaitMostMs
  );
  const again = best(ready, (stream) => stream.slice?.kind === "reread" ? stream.slice.from : planReread(stream)?.from);
  const first = turns % holeTurnEvery === holeTurnEvery - 1 ? hole2 ?? live : live ?? hole2;
  return first ?? turnOf(again, planReread, holeWaitMostMs);
}
function turnOf(chosen, plan2, waitMostMs) {
  if (chosen === void 0) return void 0;
  const [id, stream] = chosen;
  const slice2 = stream.slice ?? plan2(stream);
  return slice2 === void 0 ? void 0 : { stream: id, slice: slice2, waitMostMs: stream.paced ? liveWaitMostMs : waitMostMs };
}
function lastServedAt({ paced, freshTo, lastReadAt = 0 }) {
  return paced ? Math.max(freshTo, lastReadAt) : freshTo;
}
function holeStart(stream, now, policy) {
  if (stream.slice !== void 0) return stream.slice.kind === "settling" ? stream.slice.from : void 0;
  return settledGaps(stream, now, policy)[0]?.from;
}
function best(entries, rank) {
  let least = Number.POSITIVE_INFINITY;
  let chosen;
  for (const entry of entries) {
    const value = rank(entry[1]);
    if (value !== void 0 && value < least) {
      least = value;
      chosen = entry;
    }
  }
  return chosen;
}
function nextTickOf(phase, intervalMs, now) {
  const offset = Math.floor(phase * intervalMs);
  return Math.floor((now - offset) / intervalMs + 1) * intervalMs + offset;
}
var claimMs = 5 * minute;

// functions/flows/key-pool.ts
var KeyPool = class {
  keys;
  /** Keys without a token to spare, by fingerprint, and until when. */
  busyUntil = /* @__PURE__ */ new Map();
  constructor(keys) {
    this.keys = keys;
  }
  get all() {
    return this.keys;
  }
  /** A slice stays with its key; a new one goes to the next key that is not busy, in turn. */
  choose(fingerprint, turns, now) {
    const own = this.keys.find((key) => key.fingerprint === fingerprint);
    if (own !== void 0) return own;
    const free = this.keys.filter((key) => !this.isBusy(key.fingerprint, now));
    return free[turns % Math.max(1, free.length)];
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
  /** When the first of them frees, if all are busy. */
  busyTo(now) {
    if (!this.keys.every(({ fingerprint }) => this.isBusy(fingerprint, now))) return void 0;
    return Math.min(...this.keys.map(({ fingerprint }) => this.busyUntil.get(fingerprint) ?? now));
  }
  /** When the first of those that are busy frees. */
  firstFreeAt(now) {
    const busy = [...this.busyUntil.values()].filter((until2) => until2 > now);
    return busy.length === 0 ? void 0 : Math.min(...busy);
  }
  /** Takes a key out, and puts another in its place. */
  replace(key, by) {
    const others = this.keys.filter(({ fingerprint }) => fingerprint !== key.fingerprint);
    this.keys = by === void 0 ? others : [by, ...others];
  }
};

// functions/flows/limiter.ts
var writesMost2 = 200;
function limiter(ports) {
  const { clock, state: state2, stop } = ports;
  const pending = /* @__PURE__ */ new Map();
  const gates = /* @__PURE__ */ new Map();
  const known = /* @__PURE__ */ new Map();
  let waitedMs = 0;
  async function update(gate, change) {
    for (let write = 0; write < writesMost2; write++) {
      const stored = await state2.readTokens(gate.bucket) ?? newBucket(gate.limit);
      const settlements = pending.get(gate.bucket) ?? [];
      const settled = settlements.reduce(settleToken, withLimit(stored, gate.limit));
      const { bucket, result } = change(settled);
      if (bucket === void 0) {
        known.set(gate.bucket, settled);
        return result;
      }
      const next = { ...bucket, version: stored.version + 1 };
      if (await state2.writeTokens(gate.bucket, next)) {
        known.set(gate.bucket, next);
        const later = (pending.get(gate.bucket) ?? []).filter((settlement) => !settlements.includes(settlement));
        pending.set(gate.bucket, later);
        return result;
      }
    }
    throw new Error(`The limiter ${gate.bucket} was written by others ${writesMost2} times in a row.`);
  }
  function postpone(gate, grant, goAt) {
    return update(gate, (bucket) => {
      const postponed = postponeToken(bucket, grant, goAt);
      return { bucket: postponed.bucket, result: postponed.grant };
    });
  }
  function take(gate, latest, notBefore) {
    const by = `${ports.process}:${ports.nextNumber()}`;
    return update(gate, (bucket) => {
      const perDay = gate.perDay === void 0 ? {} : { perDay: gate.perDay };
      const taken = takeToken(bucket, { now: clock.now(), by, notBefore, ...perDay });
      if (taken.kind === "none") return { result: { freeAt: taken.freeAt } };
      if (taken.grant.goAt > latest) return { result: { freeAt: taken.grant.goAt } };
      return { bucket: taken.bucket, result: { grant: taken.grant } };
    });
  }
  async function takeAll(gates2, latest, notBefore) {
    const grants = [];
    let goAt = notBefore;
    for (const gate of gates2) {
      const taken = await take(gate, latest, goAt);
      if ("freeAt" in taken) {
        settle({ goAt, grants }, { outcome: "unsent" });
        return { kind: "wait", freeAt: taken.freeAt };
      }
      grants.push({ gate, grant: taken.grant });
      goAt = Math.max(goAt, taken.grant.goAt);
    }
    for (const held of grants) {
      if (held.grant.goAt < goAt) held.grant = await postpone(held.gate, held.grant, goAt);
    }
    return { kind: "go", permit: { goAt, grants } };
  }
  function settle({ grants }, outcome) {
    for (const { gate, grant } of grants) {
      const settlements = pending.get(gate.bucket) ?? [];
      pending.set(gate.bucket, [...settlements, { grant, ...outcome }]);
      gates.set(gate.bucket, gate);
    }
  }
  async function wait(until2) {
    const from = clock.now();
    if (!stop.aborted) await asleepOrStopped(until2);
    waitedMs += Math.max(0, clock.now() - from);
  }
  function asleepOrStopped(until2) {
    return new Promise((resolve, reject) => {
      const end = () => resolve();
      stop.addEventListener("abort", end, { once: true });
      const asleep = clock.sleepUntil(until2).finally(() => stop.removeEventListener("abort", end));
      asleep.then(end, reject);
    });
  }
  return {
    wait,
    async admit(wanted, { waitMostMs, notBefore = 0, beforeWaiting }) {
      const latest = clock.now() + waitMostMs;
      for (; ; ) {
        const admission = await takeAll(wanted, latest, notBefore);
        const until2 = admission.kind === "go" ? admission.permit.goAt : admission.freeAt;
        if (until2 > latest) return admission;
        if (until2 - clock.now() >= second && beforeWaiting !== void 0 && !await beforeWaiting(until2)) {
          if (admission.kind === "go") settle(admission.permit, { outcome: "unsent" });
          return { kind: "wait", freeAt: until2 };
        }
        await wait(until2);
        if (stop.aborted) {
          if (admission.kind === "go") settle(admission.permit, { outcome: "unsent" });
          return { kind: "wait", freeAt: until2 };
        }
        if (admission.kind === "wait") continue;
        if (clock.now() <= until2 + tokenUseWithinMs) return admission;
        settle(admission.permit, { outcome: "unsent" });
      }
    },
    settle,
    async flush() {
      for (const [bucket, settlements] of pending) {
        const gate = gates.get(bucket);
        if (settlements.length > 0 && gate !== void 0) await update(gate, (settled) => ({ bucket: settled, result: void 0 }));
      }
    },
    get waitedMs() {
      return waitedMs;
    },
    known: (bucket) => known.get(bucket)
  };
}

// functions/flows/read-page.ts
function pageRequest({ connector: connector2, vendor, stream }, slice2) {
  if (slice2.nextLink !== void 0) return vendor.nextRequest(connector2.baseUrl, slice2.nextLink);
  const { from, to } = askedRange(slice2);
  return ok(vendor.firstRequest(connector2.baseUrl, stream, from, to));
}
function parsePage(vendor, answer, requestedAt) {
  const page = vendor.parsePage(answer);
  if (!page.ok) return page;
  const { receivedAt, clockErrorMs } = answer;
  return ok({ ...page.value, requestedAt, receivedAt, ...clockErrorMs === void 0 ? {} : { clockErrorMs } });
}
async function deliverPage(ports, context, slice2, page, seen) {
  const { connector: connector2, vendor, filters, stream } = context;
  const { digest } = ports;
  const fresh = /* @__PURE__ */ new Map();
  const byFilter = {};
  const records = [];
  let malformed = 0;
  for (const item of page.items) {
    const id = itemId(item, digest);
    const hash = digest(id).slice(0, 16);
    if (seen.has(hash) || fresh.has(hash)) continue;
    const record2 = toRecord(vendor.normalise(item, { stream, receivedAt: page.receivedAt }), {
      id: recordId(digest, connector2.connectorId, stream, id),
      ingestedAt: page.receivedAt,
      ingestMode: slice2.kind === "settling" || slice2.kind === "reread" ? "backfill" : "live",
      connector: connector2
    });
    const { keep, counted: counted2 } = applyFilters(filters, record2);
    for (const name of counted2) byFilter[name] = (byFilter[name] ?? 0) + 1;
    if (record2.malformed === true) malformed += 1;
    if (keep) records.push(record2);
    fresh.set(hash, keep ? "delivered" : "filtered");
  }
  if (records.length > 0) {
    const delivered = await ports.sink.deliver(records);
    if (!delivered.ok) return delivered;
  }
  return ok({
    fresh: [...fresh].map(([hash, mark]) => ({ hash, mark })),
    counts: {
      pages: 1,
      fetched: page.items.length,
      delivered: records.length,
      filtered: fresh.size - records.length,
      alreadySeen: page.items.length - fresh.size,
      malformed,
      late: slice2.kind === "reread" ? fresh.size : 0,
      byFilter
    }
  });
}

// functions/flows/read-turn.ts
var leaseMs = 2 * minute;
var leaseSpareMs = 45 * second;
async function readTurn(ports, context, turn, before, key) {
  const { clock, state: state2, source, log, random } = ports;
  const { connector: connector2, vendor, holder, limiter: limiter2, policy } = context;
  const connectorId = connector2.connectorId;
  const page = { ...context, stream: turn.stream };
  const about = { connectorId, stream: turn.stream };
  const { lease: held, slice: begun, ...unleased } = before;
  const now = clock.now();
  if (held !== void 0 && held.until > now && held.holder !== holder)
    return { end: { kind: "lease-held", until: held.until }, stream: before };
  let slice2 = turn.slice;
  if (slice2.key !== void 0 && slice2.key !== key.fingerprint)
    slice2 = { kind: slice2.kind, from: slice2.from, to: slice2.to, page: 0, items: 0 };
  let stream = { ...unleased, ...begun === void 0 || slice2.page === 0 ? {} : { slice: begun } };
  let seen;
  const links = /* @__PURE__ */ new Set();
  async function write(next) {
    const versioned = { ...next, version: stream.version + 1 };
    if (!await state2.writeStream(connectorId, turn.stream, versioned)) return false;
    stream = versioned;
    return true;
  }
  const leased = (next) => ({ ...next, lease: { holder, until: clock.now() + leaseMs } });
  const released = ({ lease: _, ...next }) => next;
  const takeLease = () => write(leased(keepSeenClass(stream, slice2, clock.now())));
  const heldByOther = () => ({ kind: "lease-held", until: clock.now() + leaseMs });
  async function end(next, how) {
    return await write(released(next)) ? { end: how, stream } : { end: heldByOther(), stream };
  }
  function sayGivenUp(from, narrower, why) {
    const setAside = narrower.setAside !== from.setAside;
    log({
      ...about,
      level: setAside ? "error" : "warn",
      event: setAside ? "slice-set-aside" : "slice-given-up",
      message: sayFailure(why),
      from: iso(slice2.from),
      to: iso(slice2.to),
      page: slice2.page,
      nextWidthMs: narrower.hard?.at(-1)?.widthMs
    });
  }
  function giveUp(from, why) {
    const narrower = giveUpSlice(from, slice2, clock.now());
    sayGivenUp(from, narrower, why);
    return end(narrower, { kind: "progress" });
  }
  function fail(from, why) {
    log({ ...about, level: "warn", event: "page-failed", message: sayFailure(why), code: why.code, ...traceOf(why) });
    const linked = slice2.nextLink !== void 0;
    if (linked && (linkIsDead(why) || (from.trouble?.attempts ?? 0) + 1 >= linkTriesMost)) {
      const { trouble: _, ...rest } = from;
      return giveUp(rest, failure("link-dead", `The link to page ${slice2.page + 1} answers: ${why.detail}`));
    }
    const scope = failureScope(why.code);
    if (scope !== "stream" && scope !== "origin") return end(from, { kind: "failed", failure: why });
    const attempts = (from.trouble?.attempts ?? 0) + 1;
    const now2 = clock.now();
    const until2 = now2 + Math.max(why.retryAfterMs ?? 0, retryDelay(why.code, attempts, random()));
    const troubled2 = { ...from, trouble: { failure: why, attempts, until: until2, since: from.trouble?.since ?? now2 } };
    const suspect = attempts >= sliceTriesMost || isHard(from, slice2);
    if (linked || !suspect || !sliceMayBeToBlame(why)) return end(troubled2, { kind: "failed", failure: why });
    const narrower = narrowSlice(troubled2, slice2, now2);
    sayGivenUp(troubled2, narrower, why);
    return end(narrower, { kind: "failed", failure: why });
  }
  const pagesMost = stream.paced ? pacedTurnPagesMost : turnPagesMost;
  let lastRequestAt = stream.lastReadAt ?? 0;
  for (let pages = 1; ; pages++) {
    const request = pageRequest(page, slice2);
    if (!request.ok) return giveUp(stream, request.failure);
    const apartMs = stream.paced ? Math.ceil(minute / Math.min(...key.gates.map(({ limit }) => limit))) : 0;
    let lost = false;
    const admission = await limiter2.admit(key.gates, {
      waitMostMs: turn.waitMostMs,
      notBefore: lastRequestAt + apartMs,
      beforeWaiting: async (until2) => {
        lost = (stream.lease?.until ?? 0) < until2 + leaseSpareMs && !await takeLease();
        return !lost;
      }
    });
    if (lost) return { end: heldByOther(), stream };
    if (admission.kind === "wait") {
      const noToken = { kind: "no-token", freeAt: admission.freeAt };
      return stream.version === before.version ? { end: noToken, stream: before } : end(stream, noToken);
    }
    const requestedAt = clock.now();
    lastRequestAt = requestedAt;
    const answer = await source.fetch(request.value, key.apiKey, connector2);
    const outcome = outcomeOf(answer, clock.now(), random());
    if (outcome !== void 0) limiter2.settle(admission.permit, outcome);
    const throttled = !answer.ok && answer.failure.code === "throttled";
    const counted2 = () => ({ ...stream, counts: addCounts(stream.counts, { requests: 1, throttled: throttled ? 1 : 0 }) });
    if (!answer.ok) return fail(counted2(), answer.failure);
    const parsed = parsePage(vendor, answer.value, requestedAt);
    if (!parsed.ok) return fail(counted2(), parsed.failure);
    const received = parsed.value;
    if (received.items.length > 0 && stream.lease === void 0 && !await takeLease()) return { end: heldByOther(), stream };
    const asked = counted2();
    if (seen === void 0 && received.items.length > 0) seen = await loadSeen(ports, connectorId, turn.stream, slice2, stream);
    const delivered = await deliverPage(ports, page, slice2, received, seen ?? /* @__PURE__ */ new Set());
    if (!delivered.ok) return fail(asked, delivered.failure);
    const { fresh, counts } = delivered.value;
    const next = { ...asked, counts: addCounts(asked.counts, counts), lastReadAt: received.receivedAt };
    if (fresh.length > 0) {
      await state2.writeSeen(connectorId, turn.stream, {
        slice: { from: slice2.from, to: slice2.to },
        version: stream.version,
        ids: fresh,
        expiresAt: slice2.to + policy.horizonMs + day
      });
      for (const { hash } of fresh) seen?.add(hash);
    }
    const { trouble: _, ...untroubled } = next;
    const level = received.items.length > 0 ? "info" : "debug";
    const message = `${fresh.length} new of ${received.items.length}`;
    log({ ...about, level, event: "page-read", message, ...pageDetails(slice2, counts) });
    const read = {
      kind: slice2.kind,
      from: slice2.from,
      to: slice2.to,
      key: key.fingerprint,
      readSince: slice2.readSince ?? requestedAt,
      page: slice2.page + 1,
      items: slice2.items + received.items.length,
      ...received.nextLink === void 0 ? {} : { nextLink: received.nextLink }
    };
    const clockErrorMs = received.clockErrorMs === void 0 ? {} : { clockErrorMs: received.clockErrorMs };
    if (received.nextLink === void 0) {
      const exact = { ...policy, ...clockErrorMs };
      return end(completeSlice(untroubled, read, received.receivedAt, exact), { kind: "progress", ...clockErrorMs });
    }
    const repeats = received.nextLink === slice2.nextLink || links.has(received.nextLink);
    slice2 = read;
    if (repeats) return giveUp(untroubled, failure("link-repeats", `The link to page ${read.page + 1} was there before`));
    if (sliceIsEndless(read)) return giveUp(untroubled, failure("link-repeats", `The slice has more than ${read.page} pages`));
    links.add(received.nextLink);
    const checkpoint = { ...untroubled, slice: slice2 };
    if (pages >= pagesMost || ports.stop.aborted || clock.now() > context.lastPageBy)
      return end(checkpoint, { kind: "progress", ...clockErrorMs });
    if (!await write(leased(keepSeenClass(checkpoint, slice2, clock.now())))) return { end: heldByOther(), stream };
  }
}
async function loadSeen(ports, connectorId, stream, slice2, { seenClasses }) {
  const seen = /* @__PURE__ */ new Set();
  const { from, to } = askedRange(slice2);
  const classes2 = Object.keys(seenClasses).map(Number);
  await ports.state.readSeen(connectorId, stream, { from: from - 1, to: to + 1 }, classes2, (hash) => seen.add(hash));
  return seen;
}
function outcomeOf(answer, now, random) {
  if (answer.ok) return { outcome: "answered", receivedAt: answer.value.receivedAt };
  const { code, retryAfterMs } = answer.failure;
  switch (code) {
    case "throttled":
      return { outcome: "throttled", receivedAt: now, random, ...retryAfterMs === void 0 ? {} : { retryAfterMs } };
    case "address-refused":
    case "host-refused":
    case "link-refused":
    case "secret-malformed":
      return { outcome: "unsent" };
    case "timed-out":
    case "unreachable":
    case "tls-failed":
      return void 0;
    default:
      return { outcome: "answered", receivedAt: now };
  }
}
function linkIsDead({ code }) {
  return code === "bad-request" || code === "not-found" || code === "forbidden" || code === "unexpected-status" || code === "link-refused";
}
function sliceMayBeToBlame({ code }) {
  return code === "vendor-error" || code === "timed-out" || code === "too-large" || code === "malformed-answer" || code === "bad-request";
}
function traceOf({ traceId }) {
  return traceId === void 0 ? {} : { traceId };
}
function pageDetails(slice2, counts) {
  return { kind: slice2.kind, from: iso(slice2.from), to: iso(slice2.to), page: slice2.page + 1, ...counts };
}

// functions/flows/collect-connector.ts
var pageMostMs = 110 * second;
var statusEveryMs = 30 * second;
var restMostMs = hour;
async function collectConnector(ports, connectorId, deadline) {
  const { state: state2, log } = ports;
  const stored = await state2.readRun(connectorId);
  const { accepted } = stored;
  if (accepted === void 0 || accepted.retiredAt !== void 0 || !accepted.connector.enabled) return;
  const vendor = ports.vendors.get(accepted.connector.type);
  if (vendor === void 0)
    throw new Error(`Connector ${connectorId} was accepted with the type ${accepted.connector.type}, which this release does not know.`);
  const run = new Run(ports, accepted, vendor, stored.status, stored.streams, stored.due?.wantedTo ?? 0);
  const nextDueAt = await run.collect(deadline);
  if (nextDueAt === void 0) return;
  if (nextDueAt !== stored.due?.nextDueAt) await state2.setDue(connectorId, stored.due?.nextDueAt, nextDueAt);
  log({
    level: "info",
    event: "run-ended",
    connectorId,
    message: `next due ${iso(nextDueAt)}`,
    state: run.status.state,
    reason: run.status.reason
  });
}
var Run = class {
  status;
  ports;
  accepted;
  connector;
  vendor;
  streams;
  /** As they were when the status was last written. */
  counted;
  policy;
  filters;
  keys = new KeyPool([]);
  keyFailures = [];
  /** Secrets that were read afresh. */
  refreshed = /* @__PURE__ */ new Set();
  statusAt;
  tokens;
  /** Streams that were found to lose events in this run. */
  losing = /* @__PURE__ */ new Set();
  sinceStatus = { holesLost: 0, slicesSetAside: 0, waitedMs: 0 };
  constructor(ports, accepted, vendor, status, stored, wantedTo) {
    const { connector: connector2 } = accepted;
    const now = ports.clock.now();
    this.ports = ports;
    this.accepted = accepted;
    this.connector = connector2;
    this.vendor = vendor;
    this.filters = compileFilters(connector2.logFilters);
    this.status = status ?? newStatus(now, connector2.tenantName);
    this.statusAt = now;
    this.tokens = limiter(ports);
    this.policy = {
      horizonMs: vendor.horizonMs,
      pageItemsMax: vendor.pageItemsMax,
      lateMs: connector2.lateArrivalMinutes * minute,
      intervalMs: connector2.intervalMinutes * minute,
      clockErrorMs: 0,
      wantedTo
    };
    this.streams = new Map(
      vendor.streams(connector2).map((id) => {
        const since2 = (accepted.streamsSince[id] ?? accepted.acceptedAt) - connector2.initialBackfillMinutes * minute;
        return [id, stored.get(id) ?? newStream(since2, now)];
      })
    );
    this.counted = new Map(this.streams);
  }
  /** Answers when the next run is due, or nothing when the connector was switched off or deleted meanwhile. */
  async collect(deadline) {
    const { clock } = this.ports;
    const rest = this.status.trouble?.until ?? 0;
    if (rest > clock.now()) return rest;
    await this.openKeys();
    const { tokens } = this;
    const lastPageBy = deadline - pageMostMs;
    let nextDueAt = this.keys.all.length === 0 ? this.connectorFails(this.keyFailures[0] ?? this.allRejected()) : void 0;
    const holder = `${this.ports.process}:${this.ports.nextNumber()}`;
    while (nextDueAt === void 0) {
      this.prepareStreams();
      const now = clock.now();
      const turn = nextTurn(this.readable(now), this.status.turns, now, this.policy);
      if (turn === void 0) {
        nextDueAt = this.keys.firstFreeAt(now);
        break;
      }
      if (this.ports.stop.aborted || now > lastPageBy) {
        nextDueAt = now;
        break;
      }
      const stream = this.streams.get(turn.stream);
      const key = this.keys.choose(turn.slice.key, this.status.turns, now);
      if (stream === void 0 || key === void 0) {
        nextDueAt = this.keys.firstFreeAt(now);
        break;
      }
      const patient = this.keys.hasAnother(key, now) && !stream.paced ? { ...turn, waitMostMs: 0 } : turn;
      const context = {
        connector: this.connector,
        vendor: this.vendor,
        filters: this.filters,
        holder,
        policy: this.policy,
        limiter: tokens,
        lastPageBy
      };
      const { end, stream: after } = await readTurn(this.ports, context, patient, stream, key);
      this.streams.set(turn.stream, after);
      this.sinceStatus.slicesSetAside += after.setAside.filter(({ from }) => !stream.setAside.some((known) => known.from === from)).length;
      this.status = { ...this.status, turns: this.status.turns + 1 };
      if (end.kind === "lease-held") {
        await tokens.flush();
        return end.until;
      }
      if (end.kind === "no-token") nextDueAt = await this.keyIsBusy(key, end.freeAt, turn.waitMostMs);
      if (end.kind === "progress") this.turnSucceeded(key, end.clockErrorMs);
      if (end.kind === "failed") nextDueAt = await this.turnFailed(end.failure, turn.stream, key);
      if (clock.now() - this.statusAt >= statusEveryMs && !await this.writeStatus()) {
        await tokens.flush();
        return void 0;
      }
    }
    await tokens.flush();
    await this.writeStatus();
    return this.nextDue(nextDueAt);
  }
  prepareStreams() {
    const now = this.ports.clock.now();
    const { lastPause } = this.accepted;
    const pause2 = lastPause?.to === void 0 ? void 0 : { from: lastPause.from, to: lastPause.to };
    for (const [id, stream] of this.streams) {
      const kept = expire(stream, now, this.policy, pause2);
      if (kept.holes.at(-1)?.to !== stream.holes.at(-1)?.to && !this.losing.has(id)) {
        this.losing.add(id);
        this.sinceStatus.holesLost += 1;
        const hole2 = kept.holes.at(-1);
        this.ports.log({
          level: "error",
          event: "hole-lost",
          connectorId: this.connector.connectorId,
          stream: id,
          message: `Events were not read before the vendor dropped them (${hole2?.reason})`,
          from: iso(hole2?.from ?? now),
          to: iso(hole2?.to ?? now)
        });
      }
      this.streams.set(id, beginReread(kept, now, this.policy));
    }
  }
  async openKeys() {
    const now = this.ports.clock.now();
    const { keys, failures } = await openKeys(this.ports, this.connector, now);
    this.keyFailures = failures;
    const read = new Set(keys.map(({ fingerprint }) => fingerprint));
    const rejectedKeys = Object.fromEntries(Object.entries(this.status.rejectedKeys).filter(([fingerprint]) => read.has(fingerprint)));
    this.status = { ...this.status, rejectedKeys };
    this.keys = new KeyPool(keys.filter(({ fingerprint }) => (this.status.rejectedKeys[fingerprint]?.until ?? 0) <= now));
    const { oldestKeyAt: _, ...status } = this.status;
    const storedAt = keys.flatMap((key) => key.storedAt ?? []);
    this.status = {
      ...status,
      keys: this.keys.all.map(({ fingerprint }) => fingerprint),
      ...storedAt.length === 0 ? {} : { oldestKeyAt: Math.min(...storedAt) }
    };
  }
  /** The streams whose half-read slice does not wait for a busy key. */
  readable(now) {
    return new Map([...this.streams].filter(([, { slice: slice2 }]) => slice2?.key === void 0 || !this.keys.isBusy(slice2.key, now)));
  }
  /** The run ends when no key of the pool has a token to spare before long. */
  async keyIsBusy(key, freeAt, waitMostMs) {
    const now = this.ports.clock.now();
    this.keys.markBusy(key, freeAt);
    const allBusyTo = this.keys.busyTo(now);
    if (allBusyTo === void 0 || this.keys.all.length === 1 || allBusyTo > now + waitMostMs) return allBusyTo;
    await this.tokens.wait(allBusyTo);
    return void 0;
  }
  turnSucceeded(key, clockErrorMs) {
    if (clockErrorMs !== void 0) this.policy = { ...this.policy, clockErrorMs };
    const { trouble: _, ...status } = this.status;
    const { [key.fingerprint]: __, ...rejectedKeys } = status.rejectedKeys;
    this.status = { ...status, rejectedKeys };
  }
  /** Answers when to come back if the whole run must end. */
  async turnFailed(why, stream, key) {
    const { clock, random } = this.ports;
    const now = clock.now();
    this.status = { ...this.status, lastFailure: { ...why, at: now, stream } };
    switch (failureScope(why.code)) {
      case "key":
        return why.code === "throttled" ? void 0 : this.keyRejected(why, key);
      case "origin":
      case "connector":
        return this.connectorFails(why);
      case "sink":
        return now + retryDelay(why.code, 1, random());
      case "stream":
      case "slice":
        return void 0;
    }
  }
  /** The secret may hold a new key already; if not, the key rests, and the others of the pool go on. */
  async keyRejected(why, key) {
    const now = this.ports.clock.now();
    const secret = secretText(key.reference);
    const anew = this.refreshed.has(secret) ? void 0 : await openKey(this.ports, this.connector, key.reference, now, { fresh: true });
    this.refreshed.add(secret);
    if (anew?.ok && anew.value.fingerprint !== key.fingerprint) {
      this.keys.replace(key, anew.value);
      return void 0;
    }
    const attempts = (this.status.rejectedKeys[key.fingerprint]?.attempts ?? 0) + 1;
    const until2 = now + retryDelay(why.code, attempts, this.ports.random());
    this.status = { ...this.status, rejectedKeys: { ...this.status.rejectedKeys, [key.fingerprint]: { at: now, until: until2, attempts } } };
    this.ports.log({
      level: "error",
      event: "key-rejected",
      connectorId: this.connector.connectorId,
      message: `${secret}: ${sayFailure(why)}`
    });
    this.keys.replace(key);
    return this.keys.all.length > 0 ? void 0 : this.connectorFails(why, until2);
  }
  allRejected() {
    const before = this.status.lastFailure;
    return before !== void 0 && before.code === "unauthorized" ? before : { code: "unauthorized", detail: "The vendor rejected every key of this connector" };
  }
  connectorFails(why, until2) {
    const { clock, random, log } = this.ports;
    const now = clock.now();
    const attempts = (this.status.trouble?.attempts ?? 0) + 1;
    const rest = until2 ?? now + Math.max(why.retryAfterMs ?? 0, retryDelay(why.code, attempts, random()));
    const { code, detail, status, traceId } = why;
    const failure3 = { code, detail, ...status === void 0 ? {} : { status }, ...traceId === void 0 ? {} : { traceId } };
    this.status = { ...this.status, trouble: { failure: failure3, attempts, until: rest }, lastFailure: { ...failure3, at: now } };
    log({ level: "error", event: "connector-failing", connectorId: this.connector.connectorId, code, message: sayFailure(why) });
    return rest;
  }
  /** Answers false when the connector is not to run any more: only acceptance brings back what was switched off or deleted. */
  async writeStatus() {
    const { ports, connector: connector2, streams, policy } = this;
    const now = ports.clock.now();
    const learnt = this.keys.all.flatMap(({ fingerprint }) => this.tokens.known(fingerprint) ?? []);
    const elsewhere = {
      taken: learnt.reduce((sum, bucket) => sum + takenElsewhere(bucket), 0),
      limit: learnt.reduce((sum, bucket) => sum + bucket.limit, 0)
    };
    const read = this.readSinceStatus();
    const delivered = sumOfCounts([...read.values()]);
    const report = { now, streams, policy, connector: connector2, unusableKeys: this.unusableKeys(), elsewhere, delivered };
    const own = runPart(this.status);
    const amended = await ports.state.amendStatus(
      connector2.connectorId,
      (stored = this.status) => stored.state === "paused" || stored.state === "retired" ? void 0 : statusAfterRun(stored, own, report)
    );
    this.publish(read, delivered);
    this.statusAt = now;
    if (amended === void 0) return false;
    this.status = amended.after;
    await tellChanges(ports, connector2.connectorId, amended);
    return true;
  }
  /** What each stream has counted since the status was last written. */
  readSinceStatus() {
    const read = new Map([...this.streams].map(([id, { counts }]) => [id, countsSince(this.counted.get(id)?.counts, counts)]));
    this.counted = new Map(this.streams);
    return read;
  }
  /** Of what did not happen there is no figure: CloudWatch bills a metric for each hour in which it has one, and reads none as zero. */
  publish(read, all) {
    const { publish } = this.ports;
    const { connectorId, type: vendor } = this.connector;
    const byEvent = Map.groupBy(read, ([stream]) => this.vendor.describe(stream).event);
    for (const [event, streams] of byEvent) {
      const sum = sumOfCounts(streams.map(([, counted2]) => counted2));
      if (sum.fetched > 0) publish({ vendor, event, connectorId, values: withoutZeros(eventValues(sum)) });
    }
    const { holesLost, slicesSetAside, waitedMs } = this.sinceStatus;
    const values = withoutZeros({
      Requests: all.requests,
      RequestsThrottled: all.throttled,
      PagesRead: all.pages,
      TokenWait: this.tokens.waitedMs - waitedMs,
      HolesLost: holesLost,
      SlicesSetAside: slicesSetAside
    });
    if (Object.keys(values).length > 0) publish({ vendor, connectorId, values });
    Object.assign(this.sinceStatus, { holesLost: 0, slicesSetAside: 0, waitedMs: this.tokens.waitedMs });
  }
  unusableKeys() {
    const all = this.connector.apiKeySecrets.length;
    const rejected = Object.keys(this.status.rejectedKeys).length;
    return [
      ...rejected > 0 && all > 1 ? [`${Math.min(rejected, all)} of ${all} keys rejected by the vendor (401): store a new one in its secret.`] : [],
      ...this.keys.all.length > 0 ? this.keyFailures.map((failure3) => sayFailure(failure3)) : []
    ];
  }
  /** The next tick of the connector's own phase; sooner where a stream's wait ends sooner, later where nothing can be done before. */
  nextDue(endedBecause) {
    const now = this.ports.clock.now();
    if (endedBecause !== void 0) return Math.min(Math.max(endedBecause, now), now + restMostMs);
    const phase = Number.parseInt(this.ports.digest(this.connector.connectorId).slice(0, 8), 16) / 2 ** 32;
    const waits = [...this.streams.values()].flatMap(({ trouble }) => trouble === void 0 ? [] : [trouble.until]);
    return Math.min(nextTickOf(phase, this.policy.intervalMs, now), ...waits.map((until2) => Math.max(until2, now + second)));
  }
};
function withoutZeros(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== 0));
}
function runPart({ lastFailure, trouble, keys, oldestKeyAt, rejectedKeys, turns }) {
  return {
    rejectedKeys,
    turns,
    ...lastFailure === void 0 ? {} : { lastFailure },
    ...trouble === void 0 ? {} : { trouble },
    ...keys === void 0 ? {} : { keys },
    ...oldestKeyAt === void 0 ? {} : { oldestKeyAt }
  };
}

// functions/flows/dispatch-due.ts
var tickMs = minute;
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
      (error) => log({ level: "error", event: "claim-failed", connectorId: due.connectorId, message: "the others go on", error })
    );
    underWay.add(claiming);
    void claiming.finally(() => underWay.delete(claiming));
    if (underWay.size >= claimsAtOnce) await Promise.race(underWay);
  }
  await Promise.all(underWay);
  return claimed;
}

// functions/domain/fleet.ts
var atRest = /* @__PURE__ */ new Set(["refused", "paused", "retired"]);
function isAtRest(state2) {
  return atRest.has(state2);
}
var stateMetrics = {
  ok: "ConnectorsOk",
  "catching-up": "ConnectorsCatchingUp",
  throttled: "ConnectorsThrottled",
  failing: "ConnectorsFailing",
  "losing-data": "ConnectorsLosingData",
  refused: "ConnectorsRefused"
};
var summed = ["Connectors", "ConnectorsDroppedOff", "StreamsBehind", "HolesOnRecord", "KeysRejected"];
var FleetTally = class {
  sums = /* @__PURE__ */ new Map();
  lags = [];
  horizonLeast = Number.POSITIVE_INFINITY;
  oldestKeyAt = Number.POSITIVE_INFINITY;
  /** `now` is when the status was read: what has not run since it was written lags further behind. */
  add(status, now) {
    const counted2 = stateMetrics[status.state];
    if (counted2 !== void 0) this.count(counted2, 1);
    if (isAtRest(status.state)) return;
    this.count("Connectors", 1);
    this.count("ConnectorsDroppedOff", status.state === "ok" && hasDroppedOff(status, now) ? 1 : 0);
    this.count("StreamsBehind", status.streamsBehind ?? 0);
    this.count("HolesOnRecord", status.holes ?? 0);
    this.count("KeysRejected", Object.values(status.rejectedKeys).filter(({ until: until2 }) => until2 > now).length);
    const sinceRun = status.lastRunAt === void 0 ? 0 : now - status.lastRunAt;
    this.lags.push((status.lagMs ?? 0) + sinceRun);
    if (status.horizonInMs !== void 0) this.horizonLeast = Math.min(this.horizonLeast, status.horizonInMs - sinceRun);
    if (status.oldestKeyAt !== void 0) this.oldestKeyAt = Math.min(this.oldestKeyAt, status.oldestKeyAt);
  }
  /** Nothing is said of what nobody knows: the horizon before the first run, the age of a key whose date is unknown. */
  metrics(outages2, now) {
    const lags = this.lags.sort((a, b) => a - b);
    return {
      ...Object.fromEntries([...Object.values(stateMetrics), ...summed].map((metric) => [metric, this.sums.get(metric) ?? 0])),
      VendorOutages: outages2,
      LagMost: lags.at(-1) ?? 0,
      LagP99: lags[Math.ceil(lags.length * 0.99) - 1] ?? 0,
      ...Number.isFinite(this.horizonLeast) ? { HorizonLeast: this.horizonLeast } : {},
      ...Number.isFinite(this.oldestKeyAt) ? { KeyAgeMost: now - this.oldestKeyAt } : {}
    };
  }
  count(metric, more) {
    this.sums.set(metric, (this.sums.get(metric) ?? 0) + more);
  }
};

// functions/flows/measure-fleet.ts
var overdueMs = 2 * minute;
async function measureFleet(ports) {
  const { state: state2, clock } = ports;
  const now = clock.now();
  const tallies = new Map([...ports.vendors.keys()].map((vendor) => [vendor, new FleetTally()]));
  const sites = /* @__PURE__ */ new Map();
  for await (const { connectorId, status } of state2.fleet()) {
    const vendor = status.vendor ?? "unknown";
    const tally = tallies.get(vendor) ?? new FleetTally();
    tallies.set(vendor, tally);
    tally.add(status, now);
    see(sites, status);
    const recent = status.changes?.filter(({ since: since2 }) => since2 >= now - overdueMs) ?? [];
    await tellChanges(ports, connectorId, { before: { ...status, changes: recent }, after: status });
  }
  const open2 = await outages(ports, sites, now);
  for (const [vendor, tally] of tallies) ports.publish({ vendor, values: tally.metrics(open2.get(vendor) ?? 0, now) });
}
function see(sites, status) {
  const { vendor, site, state: state2, cause, reason, since: since2, lastSuccessAt = 0, lastFailure } = status;
  if (vendor === void 0 || site === void 0 || isAtRest(state2)) return;
  const key = siteKey({ vendor, site });
  const seen = sites.get(key) ?? { vendor, site, answeredAt: 0 };
  const refusedAt = lastFailure?.status !== void 0 && !isVendorsOwn(lastFailure.code) ? lastFailure.at : 0;
  seen.answeredAt = Math.max(seen.answeredAt, lastSuccessAt, refusedAt);
  if (state2 === "failing" && cause !== void 0 && isVendorsOwn(cause)) seen.failing = { cause, reason, since: since2 };
  sites.set(key, seen);
}
async function outages(ports, sites, now) {
  const open2 = /* @__PURE__ */ new Map();
  const known = /* @__PURE__ */ new Set();
  const count2 = (vendor) => open2.set(vendor, (open2.get(vendor) ?? 0) + 1);
  for (const outage of await ports.state.outages()) {
    known.add(siteKey(outage));
    const site = sites.get(siteKey(outage));
    const fresh = outage.since > now - overdueMs;
    const goesOn = fresh || site !== void 0 && (site.failing !== void 0 || site.answeredAt <= outage.since);
    if (goesOn) count2(outage.vendor);
    await orLater(ports, outage.site, async () => {
      if (!fresh && !outage.told) await tellOutage(ports, outage);
      if (goesOn) return;
      if (site !== void 0) await ports.bus.put([outageNotice(outage, now)]);
      await ports.state.endOutage(outage);
    });
  }
  for (const [key, { vendor, site, failing }] of sites) {
    if (failing === void 0 || known.has(key)) continue;
    count2(vendor);
    await orLater(ports, site, () => beginOutage(ports, { vendor, site, ...failing, told: false }));
  }
  return open2;
}
async function orLater({ log }, site, tell) {
  try {
    await tell();
  } catch (error) {
    log({ level: "warn", event: "outage-untold", message: `${site} is told of later`, error });
  }
}
function siteKey({ vendor, site }) {
  return `${vendor} ${site}`;
}

// functions/adapters/state-schema.ts
var dueIndex = "due";
var fleetIndex = "fleet";

// functions/adapters/state-table/schemas.ts
import * as z4 from "zod";

// functions/domain/connector-state.ts
var connectorStates = [
  "starting",
  "ok",
  "catching-up",
  "throttled",
  "losing-data",
  "failing",
  "refused",
  "paused",
  "retired"
];

// functions/adapters/state-table/schemas.ts
var instant = z4.number();
var text2 = z4.string();
var count = z4.number();
var optional = z4.exactOptional;
var interval = z4.object({ from: instant, to: instant });
var failureCode = z4.enum(Object.keys(failureKinds));
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
var statusSchema = z4.object({
  state,
  reason: text2,
  since: instant,
  cause: optional(failureCode),
  changes: optional(z4.array(stateChange)),
  tenantName: optional(text2),
  vendor: optional(text2),
  site: optional(text2),
  lastRunAt: optional(instant),
  lastSuccessAt: optional(instant),
  lagMs: optional(z4.number()),
  horizonInMs: optional(z4.number()),
  streamsBehind: optional(count),
  holes: optional(count),
  oldestKeyAt: optional(instant),
  lastFailure: optional(failure2.extend({ at: instant, stream: optional(text2) })),
  trouble: optional(z4.object({ failure: failure2, attempts: count, until: instant })),
  keys: z4.array(text2).exactOptional(),
  rejectedKeys: z4.record(text2, z4.object({ at: instant, until: instant, attempts: count })),
  problems: z4.array(z4.object({ path: text2, message: text2 })),
  days: z4.record(text2, dayCounts),
  turns: count
});
var outageSchema = z4.object({
  vendor: text2,
  site: text2,
  since: instant,
  cause: failureCode,
  reason: text2,
  told: z4.boolean()
});
var hole = interval.extend({ reason: z4.enum(["horizon", "paused", "unreadable"]) });
var slice = interval.extend({
  kind: z4.enum(["tail", "fresh", "settling", "reread"]),
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
var streamSchema = z4.object({
  version: count,
  lease: optional(z4.object({ holder: text2, until: instant })),
  since: instant,
  covered: z4.array(interval),
  holes: z4.array(hole),
  slice: optional(slice),
  freshTo: instant,
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
});
var bucketSchema = z4.object({
  version: count,
  limit: count,
  n: count,
  closedUntil: instant,
  cutAt: instant,
  closureMs: z4.number(),
  refusedLevel: optional(count),
  probeAt: instant,
  probeAfterMs: z4.number(),
  raiseAt: instant,
  tokens: text2,
  hours: z4.record(text2, count)
});
var keyUserSchema = z4.object({
  connectorId: text2,
  tenantName: text2,
  sharedKey: z4.boolean(),
  requestsPerMinute: z4.number(),
  requestsPerDay: optional(z4.number()),
  until: instant
});

// functions/adapters/state-table/store.ts
import { createHash, randomUUID } from "node:crypto";
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand
} from "@aws-sdk/client-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import * as z5 from "zod";

// functions/domain/state-errors.ts
var StateUnavailable = class extends Error {
  name = "StateUnavailable";
};
var NewerSchema = class extends Error {
  name = "NewerSchema";
  /** `item` is its key in words. */
  constructor(item, found, known) {
    super(
      `The state item ${item} has schemaVersion ${found}, and this release knows up to ${known}. Nothing was written over it. Deploy the release that wrote it again, or a later one.`
    );
  }
};

// functions/adapters/state-table/store.ts
var schemaVersion = 1;
var shards = 8;
function shardOf(connectorId) {
  return (createHash("sha256").update(connectorId).digest()[0] ?? 0) % shards;
}
var isAbsent = "(attribute_not_exists(#pk) OR #expiresAt <= :now)";
var isLive2 = "attribute_exists(#pk) AND (attribute_not_exists(#expiresAt) OR #expiresAt > :now)";
var isKnown = "(attribute_not_exists(#pk) OR #schemaVersion <= :schemaVersion)";
var common = z5.object({
  pk: z5.string(),
  sk: z5.string(),
  schemaVersion: z5.number(),
  writeId: z5.string().optional()
});
function dynamodbStore({ client, table, now }) {
  const nowSeconds = () => Math.floor(now() / second);
  function bind(expressions, values = {}) {
    const used = (mark) => [...new Set(expressions.match(new RegExp(`${mark}\\w+`, "g")))];
    const known = { now: nowSeconds(), schemaVersion, ...values };
    const bound = used(":").map((value) => [value, known[value.slice(1)]]);
    return {
      ExpressionAttributeNames: Object.fromEntries(used("#").map((name) => [name, name.slice(1)])),
      ...bound.length === 0 ? {} : { ExpressionAttributeValues: typed(Object.fromEntries(bound)) }
    };
  }
  function guard(condition) {
    return condition === void 0 ? isKnown : `${isKnown} AND ${condition.holds}`;
  }
  async function ask(operation, about, send) {
    try {
      return await send();
    } catch (cause) {
      if (cause instanceof ConditionalCheckFailedException) throw cause;
      const name = cause instanceof Error ? cause.name : "unknown error";
      const message = `The state table did not do ${operation} of ${about} (${name}). It is tried again with the next run; if it lasts, check the table's throttling and the function's permissions.`;
      throw new StateUnavailable(message, { cause });
    }
  }
  async function read(key) {
    const get = new GetItemCommand({ TableName: table, Key: typed(key), ConsistentRead: true });
    const { Item } = await ask("GetItem", sayKey(key), () => client.send(get));
    return Item === void 0 ? void 0 : unmarshall(Item);
  }
  async function tookPlace(key, writeId, operation, send) {
    try {
      await ask(operation, sayKey(key), send);
      return true;
    } catch (refusal) {
      if (!(refusal instanceof ConditionalCheckFailedException)) throw refusal;
      const stored = refusal.Item === void 0 ? await read(key) : unmarshall(refusal.Item);
      return stored !== void 0 && parse(stored, common).writeId === writeId;
    }
  }
  function expired({ expiresAt }) {
    return typeof expiresAt === "number" && expiresAt <= nowSeconds();
  }
  function parse(item, schema) {
    const head = common.safeParse(item);
    if (head.success && head.data.schemaVersion > schemaVersion) {
      throw new NewerSchema(sayKey(head.data), head.data.schemaVersion, schemaVersion);
    }
    const parsed = head.success ? schema.safeParse(item) : head;
    if (parsed.success) return parsed.data;
    const wrong = parsed.error.issues.map(({ path: path2, message }) => `${path2.join(".")}: ${message}`).join("; ");
    const which = head.success ? sayKey(head.data) : "without a key or version";
    throw new StateUnavailable(
      `The state item ${which} is not what a release writes (${wrong}). Restore it from a backup, or delete it to begin anew.`
    );
  }
  return {
    parse,
    async get(key, schema) {
      const item = await read(key);
      return item === void 0 || expired(item) ? void 0 : parse(item, schema);
    },
    async *query({ index, where, values }) {
      const request = {
        TableName: table,
        KeyConditionExpression: where,
        ...bind(where, values),
        ...index === void 0 ? { ConsistentRead: true } : { IndexName: index }
      };
      const about = index === void 0 ? String(values["pk"]) : `the index ${index}`;
      let start;
      do {
        const from = start;
        const page = await ask(
          "Query",
          about,
          () => client.send(new QueryCommand({ ...request, ExclusiveStartKey: from }))
        );
        for (const typedItem of page.Items ?? []) {
          const item = unmarshall(typedItem);
          if (!expired(item)) yield item;
        }
        start = page.LastEvaluatedKey;
      } while (start !== void 0);
    },
    put(key, attributes2, { condition, expiresAt } = {}) {
      const writeId = randomUUID();
      const item = {
        ...attributes2,
        ...key,
        schemaVersion,
        writeId,
        expiresAt: expiresAt === void 0 ? void 0 : Math.ceil(expiresAt / second)
      };
      const holds = guard(condition);
      return tookPlace(
        key,
        writeId,
        "PutItem",
        () => client.send(
          new PutItemCommand({
            TableName: table,
            Item: typed(item),
            ConditionExpression: holds,
            ...bind(holds, condition?.values),
            ReturnValuesOnConditionCheckFailure: "ALL_OLD"
          })
        )
      );
    },
    update(key, { set = {}, expressions = [], remove = [] }, condition) {
      const writeId = randomUUID();
      const holds = guard(condition);
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
            ...bind(`${change} ${holds}`, { ...condition.values, ...values, writeId }),
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
            ConditionExpression: isKnown,
            ...bind(isKnown),
            ReturnValuesOnConditionCheckFailure: "ALL_OLD"
          })
        )
      );
    }
  };
}
async function mustWrite(key, written) {
  if (await written) return;
  throw new StateUnavailable(`The state item ${sayKey(key)} was written and removed by a newer release meanwhile. Try again.`);
}
function typed(value) {
  return marshall(value, { removeUndefinedValues: true });
}
function sayKey({ pk: pk2, sk }) {
  return `${pk2} ${sk}`;
}

// functions/adapters/state-table/accepted.ts
var retiredKeptMs = 4 * day;
function acceptedKey(connectorId) {
  return { pk: `CONNECTOR#${connectorId}`, sk: "ACCEPTED" };
}
function acceptedItems(store, streams) {
  return {
    readAccepted: (connectorId) => store.get(acceptedKey(connectorId), acceptedSchema),
    // In the index of the fleet accepted items have shards of their own, beyond those of the statuses: neither listing reads the other.
    async *allAccepted() {
      for (let shard = shards; shard < 2 * shards; shard++) {
        const where = "#fleetShard = :shard";
        for await (const item of store.query({ index: fleetIndex, where, values: { shard } })) yield store.parse(item, acceptedSchema);
      }
    },
    /**
     *     the table's stream                 hourly comparison
     *     reads acceptance A                 reads acceptance A
     *     item edited: writes B over A
     *                                        writes A' (the item as it was) over A: refused, it is B now
     *
     * A deletion changes neither digest nor time of the acceptance, so it is compared as well.
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

// functions/adapters/state-table/due.ts
var connectorPrefix = "CONNECTOR#";
function dueKey(connectorId) {
  return { pk: `${connectorPrefix}${connectorId}`, sk: "DUE" };
}
function dueItems(store) {
  return {
    // Of a newer item the key is enough: the claim refuses it, and the other connectors go on.
    async *dueBefore(until2) {
      for (let shard = 0; shard < shards; shard++) {
        const where = "#dueShard = :shard AND #nextDueAt < :until";
        for await (const { pk: pk2, nextDueAt } of store.query({ index: dueIndex, where, values: { shard, until: until2 } })) {
          yield { connectorId: String(pk2).slice(connectorPrefix.length), nextDueAt: Number(nextDueAt) };
        }
      }
    },
    /**
     *     dispatch A                         dispatch B (the rule delivers at least once)
     *     index: due 12:00                   index: due 12:00
     *     12:00 → 12:15, sends the message
     *                                        12:00 → 12:15: refused, it is 12:15 now; sends nothing
     */
    claimDue(connectorId, seen, next) {
      const unclaimed = "#nextDueAt = :seen";
      return store.update(dueKey(connectorId), { set: { nextDueAt: next } }, { holds: unclaimed, values: { seen } });
    },
    /**
     *     run                                acceptance, or "run now"
     *     began with due 12:15 (its claim)
     *                                        makes it due 12:03
     *     ends: next 12:05                   refused: 12:03 is earlier, and it is wanted
     *
     * A connector that was switched off or deleted meanwhile has no due time any more and gets none.
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

// functions/adapters/state-table/keys.ts
import { isDeepStrictEqual } from "node:util";
import * as z7 from "zod";

// functions/adapters/state-table/token-text.ts
import * as z6 from "zod";
var columns = z6.object({
  /** Each process once, with its colon. */
  processes: z6.array(z6.string()),
  /** Each `at` less the one before. */
  at: z6.array(z6.number()),
  /** An index into `processes`, and what follows it in `by`. */
  process: z6.array(z6.number()),
  number: z6.array(z6.union([z6.number(), z6.string()])),
  settled: z6.array(z6.number())
});
function tokensToText(tokens) {
  const text4 = { processes: [], at: [], process: [], number: [], settled: [] };
  const indexes = /* @__PURE__ */ new Map();
  let before = 0;
  for (const { at, by, settled } of tokens) {
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
    text4.settled.push(settled ? 1 : 0);
    before = at;
  }
  return JSON.stringify(text4);
}
function tokensFromText(text4) {
  const { processes, at, process, number: number7, settled } = columns.parse(JSON.parse(text4));
  let last = 0;
  return at.map((difference, i) => {
    last += difference;
    return { at: last, by: `${processes[process[i] ?? -1] ?? ""}${number7[i] ?? ""}`, settled: settled[i] === 1 };
  });
}
function numberOr(text4) {
  const number7 = Number(text4);
  return Number.isSafeInteger(number7) && String(number7) === text4 ? number7 : text4;
}

// functions/adapters/state-table/keys.ts
var userPrefix = "USER#";
var fingerprintKeyKey = { pk: "FINGERPRINT", sk: "KEY" };
var fingerprintKeyItem = z7.object({ keyHex: z7.string() });
function bucketKey(bucket) {
  return { pk: `KEY#${bucket}`, sk: "TOKENS" };
}
function userKey(bucket, connectorId) {
  return { pk: `KEY#${bucket}`, sk: `${userPrefix}${connectorId}` };
}
function keyItems(store) {
  async function users(bucket, now) {
    const found = [];
    const where = "#pk = :pk AND begins_with(#sk, :prefix)";
    for await (const item of store.query({ where, values: { pk: bucketKey(bucket).pk, prefix: userPrefix } })) {
      const user = store.parse(item, keyUserSchema);
      if (user.until > now) found.push(user);
    }
    return found;
  }
  let knownKeyHex;
  async function findFingerprintKey(candidate) {
    const stored = await store.get(fingerprintKeyKey, fingerprintKeyItem);
    if (stored !== void 0) return stored.keyHex;
    if (await store.put(fingerprintKeyKey, { keyHex: candidate }, { condition: { holds: isAbsent } })) return candidate;
    const theirs = await store.get(fingerprintKeyKey, fingerprintKeyItem);
    if (theirs === void 0) throw new StateUnavailable("The key that fingerprints API keys was written and removed meanwhile. Try again.");
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
          `The tokens of the state item ${bucketKey(bucket).pk} cannot be read. Delete the item two minutes after the last request with this key.`
        );
      }
    },
    /**
     *     run A                              run B
     *     reads version 4: one token left    reads version 4: one token left
     *     takes it: 4 → 5
     *                                        takes it: 4 → 5: refused, reads anew and waits
     */
    writeTokens(bucket, next) {
      const sameVersion = `${isLive2} AND #version = :before`;
      const condition = { holds: next.version === 1 ? isAbsent : sameVersion, values: { before: next.version - 1 } };
      return store.put(bucketKey(bucket), { ...next, tokens: tokensToText(next.tokens) }, { condition });
    },
    /**
     *     connector A                        connector B, of another tenant
     *     puts itself down
     *                                        puts itself down
     *     reads: A, B                        reads: A, B
     *
     * First the write, then the read: at least one of the two sees the other.
     */
    async registerKeyUser(bucket, user, now) {
      const known = await users(bucket, now);
      if (known.some((stored) => saysTheSame(stored, user, now))) return known;
      const key = userKey(bucket, user.connectorId);
      await mustWrite(key, store.put(key, { ...user }, { expiresAt: user.until }));
      return users(bucket, now);
    },
    forgetKeyUser: (bucket, connectorId) => store.remove(userKey(bucket, connectorId)),
    // It never changes, so one read serves the process.
    async fingerprintKey(candidate) {
      knownKeyHex ??= await findFingerprintKey(candidate);
      return knownKeyHex;
    }
  };
}
function saysTheSame(stored, user, now) {
  return isDeepStrictEqual({ ...stored, until: user.until }, user) && stored.until - now >= (user.until - now) / 2;
}

// functions/adapters/state-table/outages.ts
var pk = "OUTAGES";
function outageKey({ vendor, site }) {
  return { pk, sk: `${vendor}#${site}` };
}
function outageItems(store) {
  return {
    /**
     *     run of connector A                 run of connector B
     *     puts the outage of the site
     *                                        puts it: refused, so it tells nobody
     */
    beginOutage: (outage) => store.put(outageKey(outage), { ...outage }, { condition: { holds: isAbsent } }),
    async outages() {
      const open2 = [];
      for await (const item of store.query({ where: "#pk = :pk", values: { pk } })) open2.push(store.parse(item, outageSchema));
      return open2;
    },
    /** Of one that has ended meanwhile there is nothing to put down. */
    async outageTold(outage) {
      const same = `${isLive2} AND #since = :since`;
      await store.update(outageKey(outage), { set: { told: true } }, { holds: same, values: { since: outage.since } });
    },
    endOutage: (outage) => store.remove(outageKey(outage))
  };
}

// functions/adapters/state-table/seen.ts
import * as z8 from "zod";
var idsMost = 2e4;
var hashBytes = 8;
var idBytes = hashBytes + 1;
var markBytes = { delivered: 1, filtered: 2 };
var seenItem = z8.object({ stream: z8.string(), from: z8.number(), to: z8.number(), ids: z8.instanceof(Uint8Array) });
function seenItems(store) {
  return {
    async readSeen(connectorId, stream, slice2, classes2, into) {
      const found = await Promise.all(classes2.map((k) => overlapping(connectorId, stream, slice2, k)));
      for (const ids of found.flat()) unpack(ids, into);
    },
    /** The version in the key is one that no other page is ever read at; what is there already is this very page. */
    async writeSeen(connectorId, stream, page) {
      const { slice: slice2, version, ids, expiresAt } = page;
      for (let n = 0; n * idsMost < ids.length; n++) {
        const packed = pack(ids.slice(n * idsMost, (n + 1) * idsMost));
        const attributes2 = { stream, from: slice2.from, to: slice2.to, ids: packed };
        await store.put(seenKey(connectorId, stream, slice2, version, n), attributes2, { condition: { holds: isAbsent }, expiresAt });
      }
    }
  };
  async function overlapping(connectorId, stream, slice2, k) {
    const pages = [];
    const values = {
      pk: `CONNECTOR#${connectorId}`,
      first: seenPrefix(stream, k, slice2.from - seenClassWidth(k) + 1),
      // Without what follows the start in a key, this sorts before every slice that begins there.
      end: seenPrefix(stream, k, slice2.to)
    };
    for await (const item of store.query({ where: "#pk = :pk AND #sk BETWEEN :first AND :end", values })) {
      const page = store.parse(item, seenItem);
      if (page.stream === stream && page.from < slice2.to && page.to > slice2.from) pages.push(page.ids);
    }
    return pages;
  }
}
function seenKey(connectorId, stream, slice2, version, n) {
  return { pk: `CONNECTOR#${connectorId}`, sk: `${seenPrefix(stream, seenClass(slice2), slice2.from)}#${digits(version, 12)}.${n}` };
}
function seenPrefix(stream, k, from) {
  return `SEEN#${stream}#${k}.${digits(Math.max(0, Math.floor(from)), 15)}`;
}
function digits(whole2, width) {
  return String(whole2).padStart(width, "0");
}
function pack(ids) {
  const packed = Buffer.alloc(ids.length * idBytes);
  ids.forEach(({ hash, mark }, i) => {
    if (packed.write(hash, i * idBytes, hashBytes, "hex") !== hashBytes)
      throw new Error(`A seen id is ${hashBytes * 2} hex digits, not ${hash}.`);
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
var amendmentsMost = 20;
var statusItem = z9.object({ status: statusSchema, revision: z9.number() });
var fleetItem = z9.object({ connectorId: z9.string(), status: statusSchema });
function statusKey(connectorId) {
  return { pk: `CONNECTOR#${connectorId}`, sk: "STATUS" };
}
function statusItems(store) {
  const attributes2 = (connectorId, status) => ({ status, connectorId, fleetShard: shardOf(connectorId) });
  return {
    async readStatus(connectorId) {
      return (await store.get(statusKey(connectorId), statusItem))?.status;
    },
    /**
     *     acceptance                         run
     *     reads revision 7
     *                                        writes what it saw: 8
     *     writes on 7: refused, reads 8, amends that
     */
    async amendStatus(connectorId, amend) {
      const key = statusKey(connectorId);
      for (let write = 0; write < amendmentsMost; write++) {
        const before = await store.get(key, statusItem);
        const status = amend(before?.status);
        if (status === void 0) return void 0;
        const amended = { after: status, ...before === void 0 ? {} : { before: before.status } };
        if (isDeepStrictEqual2(status, before?.status)) return amended;
        const revision = before?.revision ?? 0;
        const sameRevision = `${isLive2} AND #revision = :revision`;
        const condition = { holds: before === void 0 ? isAbsent : sameRevision, values: { revision } };
        const expiresAt = status.state === "retired" ? status.since + retiredKeptMs : void 0;
        if (await store.put(key, { ...attributes2(connectorId, status), revision: revision + 1 }, { condition, expiresAt })) return amended;
      }
      throw new StateUnavailable(
        `The status of connector ${connectorId} was written by others ${amendmentsMost} times in a row. It is tried again with the next change.`
      );
    },
    async *fleet() {
      for (let shard = 0; shard < shards; shard++) {
        const where = "#fleetShard = :shard";
        for await (const item of store.query({ index: fleetIndex, where, values: { shard } })) yield store.parse(item, fleetItem);
      }
    }
  };
}
function parseStatus(store, item) {
  return store.parse(item, statusItem).status;
}

// functions/adapters/state-table/streams.ts
var streamPrefix = "STREAM#";
function streamKey(connectorId, stream) {
  return { pk: `CONNECTOR#${connectorId}`, sk: `${streamPrefix}${stream}` };
}
function streamOf(sk) {
  return typeof sk === "string" && sk.startsWith(streamPrefix) ? sk.slice(streamPrefix.length) : void 0;
}
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
      return store.put(streamKey(connectorId, stream), { ...next }, { condition });
    }
  };
}
function streamRetention(store) {
  async function each(connectorId, change) {
    const changes = [];
    const where = "#pk = :pk AND begins_with(#sk, :prefix)";
    const { pk: pk2 } = streamKey(connectorId, "");
    for await (const { sk } of store.query({ where, values: { pk: pk2, prefix: streamPrefix } })) changes.push(change({ pk: pk2, sk: String(sk) }));
    await Promise.all(changes);
  }
  return {
    /**
     *     run                                acceptance
     *     lease: 5 → 6
     *                                        the item is deleted: 6 → 7, expires
     *     checkpoint 6 → 7: refused          else the item would be written without its expiry
     */
    expire(connectorId, at) {
      const expressions = ["#version = #version + :one"];
      const set = { expiresAt: Math.ceil(at / second) };
      return each(connectorId, (key) => store.update(key, { set, expressions }, { holds: isLive2, values: { one: 1 } }));
    },
    /** A run that has written meanwhile has done the same, and one that is under way may go on: no version is bumped. */
    keep(connectorId) {
      return each(connectorId, (key) => store.update(key, { remove: ["expiresAt"] }, { holds: isLive2 }));
    }
  };
}

// functions/adapters/state-table.ts
function stateTable(options) {
  const store = dynamodbStore(options);
  return {
    readRun: (connectorId) => readRun(store, connectorId),
    ...acceptedItems(store, streamRetention(store)),
    ...dueItems(store),
    ...statusItems(store),
    ...streamItems(store),
    ...seenItems(store),
    ...keyItems(store),
    ...outageItems(store)
  };
}
async function readRun(store, connectorId) {
  const { pk: pk2, sk: accepted } = acceptedKey(connectorId);
  const { sk: due } = dueKey(connectorId);
  const { sk: status } = statusKey(connectorId);
  const [before, after] = await Promise.all([
    collect(store.query({ where: "#pk = :pk AND #sk <= :due", values: { pk: pk2, due } })),
    collect(store.query({ where: "#pk = :pk AND #sk >= :status", values: { pk: pk2, status } }))
  ]);
  const acceptedItem = before.find(({ sk }) => sk === accepted);
  const dueItem = before.find(({ sk }) => sk === due);
  const statusItem2 = after.find(({ sk }) => sk === status);
  const streams = /* @__PURE__ */ new Map();
  for (const item of after) {
    const stream = streamOf(item["sk"]);
    if (stream !== void 0) streams.set(stream, store.parse(item, streamSchema));
  }
  return {
    ...acceptedItem === void 0 ? {} : { accepted: store.parse(acceptedItem, acceptedSchema) },
    ...dueItem === void 0 ? {} : { due: store.parse(dueItem, dueSchema) },
    ...statusItem2 === void 0 ? {} : { status: parseStatus(store, statusItem2) },
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
  location: text3("Where the file or message lies."),
  detection_time: time("When it was detected"),
  triggered_policy_name: text3("The policy that was triggered."),
  triggered_security_filter: text3("The filter of the policy that was triggered."),
  action: text3("What was done about it."),
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
import * as z11 from "zod";

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

// functions/domain/ocsf.ts
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

// functions/domain/syslog.ts
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
import * as z10 from "zod";
var pageSchema = z10.object({
  security_events: z10.array(z10.unknown()),
  next_link: z10.string().nullish(),
  traceId: z10.string().nullish().catch(null)
});
var errorSchema = z10.object({ code: z10.int(), msg: z10.string().max(200) });
var traceSchema = z10.object({ traceId: z10.string().min(1) });
function parsePage2({ body, traceId: sent }) {
  const traceId = traceSchema.safeParse(body).data?.traceId ?? sent;
  const trace = traceId === void 0 ? {} : { traceId };
  const page = pageSchema.safeParse(body);
  if (!page.success) return failed(failure("malformed-answer", whatIsWrong(body, page.error), trace));
  const link = page.data.next_link?.trim() ?? "";
  return ok({ items: page.data.security_events.map(toItem), ...link === "" ? {} : { nextLink: link }, ...trace });
}
function whatIsWrong(body, error) {
  const stated = errorSchema.safeParse(body);
  if (stated.success) return `The vendor answered 200 with error ${stated.data.code} (${stated.data.msg}) in place of a page`;
  const problems = error.issues.map(({ path: path2, message }) => `${path2.join(".") || "the body"}: ${message}`);
  return `The answer is no page: ${problems.join("; ")}`;
}
function toItem(raw) {
  const item = membersOf(raw);
  const id = idOf(item?.["log_item_id"]) ?? idOf(membersOf(item?.["message"])?.["log_item_id"]);
  return id === void 0 ? { raw } : { id, raw };
}
function idOf(value) {
  return typeof value === "number" && !Number.isSafeInteger(value) ? void 0 : textOf(value) || void 0;
}
function parseItem(raw) {
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
  const minutes2 = Number(digits2.slice(0, 2)) * 60 + Number(digits2.slice(2));
  return (zone.startsWith("-") ? -minutes2 : minutes2) * minute;
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
  const header = [
    "CEF:0",
    "Trend Micro",
    "CAS",
    "5.0",
    "100,101",
    cefHeader(event),
    severity === void 0 ? "Unknown" : severityWords[severity]
  ];
  const values = wire === void 0 ? [] : extension(wire).flatMap(([key, value]) => value ? [`${key}=${cefValue(value)}`] : []);
  return [header.join("|"), ...values].join(" ");
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
function streamOf2(service, event) {
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
  const wire = parseItem(raw);
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
  horizonMs: 72 * hour,
  pageItemsMax,
  attributes: z11.strictObject({
    contentTypes: selection(services, ["sharepoint"]).describe("The protected services whose events are collected"),
    eventTypes: selection(events, events).describe("The kinds of event that are collected")
  }),
  // A verdict of the sandbox can follow its file by minutes.
  lateArrivalMinutes: ({ eventTypes }) => eventTypes.includes("virtualanalyzer") ? 20 : 10,
  baseUrlOf,
  streams: ({ contentTypes, eventTypes }) => contentTypes.flatMap((service) => eventTypes.map((event) => streamOf2(service, event))),
  describe,
  firstRequest,
  nextRequest,
  parsePage: parsePage2,
  normalise
};
function selection(allowed, byDefault) {
  const either = `Allowed: ${allowed.join(", ")}`;
  return z11.array(z11.enum(allowed, { error: ({ input }) => `${JSON.stringify(input)} is not known. ${either}` }), {
    error: ({ input }) => `It is ${JSON.stringify(input)}, which is no list. Give a list of one or more. ${either}`
  }).min(1, { error: `It is empty. Name at least one, or leave it out for ${byDefault.join(", ")}. ${either}` }).superRefine((chosen, context) => {
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
