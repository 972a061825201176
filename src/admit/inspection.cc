// SPDX-License-Identifier: MIT
#include "admit/inspection.h"

#include "admit/json.h"
#include "base/names.h"
#include "trust/time_text.h"

namespace alloy::core {
namespace {

void Field(JsonWriter& json, const char* key, std::string_view value) {
  json.Key(key);
  json.String(value);
}

void FieldOrNull(JsonWriter& json, const char* key, std::string_view value) {
  json.Key(key);
  if (value.empty()) {
    json.Null();
  } else {
    json.String(value);
  }
}

void Strings(JsonWriter& json, const char* key, const std::vector<std::string>& values) {
  json.Key(key);
  json.BeginArray();
  for (const std::string& value : values) json.String(value);
  json.EndArray();
}

void WriteStatus(JsonWriter& json, const Status& status) {
  json.BeginObject();
  json.Key("ok");
  json.Bool(status.ok());
  json.Key("code");
  json.Int(status.code());
  Field(json, "code_name", CodeName(status.code()));
  json.Key("reason");
  json.Int(status.reason());
  Field(json, "reason_name", ReasonName(status.reason()));
  Field(json, "text", status.ok() ? "" : status.fault().text);
  json.EndObject();
}

void WriteStatement(JsonWriter& json, const std::optional<Statement>& statement) {
  json.Key("statement");
  if (!statement) return json.Null();
  json.BeginObject();
  Field(json, "kind", statement->kind);
  Field(json, "name", statement->name);
  Field(json, "version", statement->version);
  json.Key("sequence");
  json.Unsigned(statement->sequence);
  json.Key("abi");
  json.Unsigned(statement->abi);
  Field(json, "platform", statement->platform);
  Field(json, "not_before", TimeText(statement->not_before));
  Field(json, "not_after", TimeText(statement->not_after));
  json.Key("size");
  json.Int(statement->size);
  Field(json, "sha256", statement->sha256);
  Field(json, "file", statement->file);
  Strings(json, "needed", statement->needed);
  json.EndObject();
}

void WriteElf(JsonWriter& json, const ElfFindings& elf,
              const std::vector<std::string>& not_allowed) {
  json.Key("elf");
  json.BeginObject();
  json.Key("findings");
  json.BeginArray();
  for (const Status& fault : elf.faults) {
    json.BeginObject();
    json.Key("reason");
    json.Int(fault.reason());
    Field(json, "reason_name", ReasonName(fault.reason()));
    Field(json, "text", fault.fault().text);
    json.EndObject();
  }
  json.EndArray();
  Strings(json, "needed", elf.facts.needed);
  Strings(json, "not_allowed", not_allowed);
  Strings(json, "exports", elf.facts.exports);
  json.Key("export_count");
  json.Unsigned(elf.facts.export_count);
  json.Key("go_runtime");
  json.Bool(elf.facts.has_go_runtime);
  json.EndObject();
}

}  // namespace

void WriteCertificate(JsonWriter& json, const CertificateFacts& facts) {
  json.BeginObject();
  Field(json, "subject", facts.subject);
  Field(json, "issuer", facts.issuer);
  Field(json, "key", facts.key);
  Field(json, "not_before", TimeText(facts.not_before));
  Field(json, "not_after", TimeText(facts.not_after));
  Field(json, "sha256", facts.sha256);
  json.Key("is_ca");
  json.Bool(facts.is_ca);
  json.EndObject();
}

std::string AsJson(const Inspection& found) {
  JsonWriter json;
  json.BeginObject();
  Field(json, "library", found.library);
  json.Key("size");
  json.Int(found.size);
  FieldOrNull(json, "sha256", found.sha256);
  Field(json, "kind", found.is_archive ? "archive" : "library");
  json.Key("verdict");
  WriteStatus(json, found.verdict);
  json.Key("trusted");
  json.Bool(found.trusted);
  FieldOrNull(json, "sidecar", found.sidecar);
  WriteStatement(json, found.statement);
  json.Key("signer");
  if (found.certificates.empty()) {
    json.Null();
  } else {
    WriteCertificate(json, found.certificates.front());
  }
  json.Key("certificates");
  json.BeginArray();
  for (const CertificateFacts& facts : found.certificates) WriteCertificate(json, facts);
  json.EndArray();
  Strings(json, "warnings", found.warnings);
  WriteElf(json, found.elf, found.not_allowed);
  json.EndObject();
  return json.text();
}

}  // namespace alloy::core
