// What the configuration's own description looks like to people: the example file and the page.
#include <string>

#include "server/config.h"

namespace topup {
namespace {

constexpr std::string_view kHead =
    "# Topup: an example of the whole configuration, made by `topup config --example`.\n"
    "#\n"
    "# A key that stands behind a # has the value shown, which is its default, or is not set.\n"
    "# Each key can be set by the environment as well, which goes before this file: the name is\n"
    "# TOPUP_ + SECTION + _ + KEY in capitals. Secrets never stand here: a key that ends in _file\n"
    "# names a file that holds one. `topup config --config FILE` tells every mistake at once.\n";

std::string notes_of(const ConfigKey& key) {
  std::string notes = key.kind;
  if (!key.range.empty()) notes += ", " + key.range;
  if (key.is_needed) notes += ", needed";
  return notes;
}

std::string value_of(const ConfigKey& key) {
  return key.default_value.empty() ? "\"\"" : key.default_value;
}

}  // namespace

std::string config_example() {
  std::string text(kHead);
  for (const ConfigSection& section : config_sections()) {
    text += "\n# " + section.meaning;
    if (section.is_optional) text += " Take the # away from the section's name to use it.";
    text += "\n" + std::string(section.is_optional ? "#" : "") + "[" + section.name + "]\n";
    for (const ConfigKey& key : section.keys) {
      text += "# " + key.meaning + " (" + notes_of(key) + ")\n";
      text += "#" + key.key + " = " + value_of(key) + "\n";
    }
  }
  return text;
}

std::string config_explained() {
  std::string text;
  for (const ConfigSection& section : config_sections()) {
    text += (text.empty() ? "" : "\n") + ("[" + section.name + "]  " + section.meaning);
    text += section.is_optional ? " Only when the section is there.\n" : "\n";
    for (const ConfigKey& key : section.keys) {
      text += "  " + key.key + "  (" + notes_of(key) + ")\n";
      text += "      " + key.meaning + "\n";
      if (!key.default_value.empty()) text += "      default      " + key.default_value + "\n";
      text += "      environment  " + key.environment + "\n";
    }
  }
  return text;
}

}  // namespace topup
