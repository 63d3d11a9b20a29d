#include "sources/workbook_parts.h"

#include <expat.h>

#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <type_traits>

namespace tillcast::sources {
namespace {

struct FreeParser {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};
using ParserHandle = std::unique_ptr<std::remove_pointer_t<XML_Parser>, FreeParser>;

std::string_view local_name(const char* name) {
  std::string_view text = name;
  const auto colon = text.rfind(':');
  return colon == std::string_view::npos ? text : text.substr(colon + 1);
}

/// Attributes of the element being opened.
class Attributes {
 public:
  explicit Attributes(const char** pairs) : pairs_(pairs) {}
  /// By local name; with `prefixed` only one that has a namespace prefix (r:id against sheetId's id).
  std::string_view get(std::string_view name, bool prefixed = false) const {
    for (const char** pair = pairs_; *pair != nullptr; pair += 2) {
      const bool has_prefix = std::string_view(pair[0]).find(':') != std::string_view::npos;
      if (local_name(pair[0]) == name && (has_prefix || !prefixed)) return pair[1];
    }
    return {};
  }

 private:
  const char** pairs_;
};

struct Handlers {
  std::function<void(std::string_view, const Attributes&)> open;
  std::function<void(std::string_view)> close;
  XML_Parser parser = nullptr;
  bool has_doctype = false;
};

Result<void> parse_xml(std::string_view xml, Handlers& handlers) {
  const ParserHandle parser(XML_ParserCreate(nullptr));
  handlers.parser = parser.get();
  XML_SetUserData(parser.get(), &handlers);
  XML_SetElementHandler(
      parser.get(),
      [](void* data, const char* name, const char** attributes) {
        static_cast<Handlers*>(data)->open(local_name(name), Attributes(attributes));
      },
      [](void* data, const char* name) {
        auto* self = static_cast<Handlers*>(data);
        if (self->close) self->close(local_name(name));
      });
  XML_SetStartDoctypeDeclHandler(parser.get(), [](void* data, const char*, const char*, const char*, int) {
    auto* self = static_cast<Handlers*>(data);
    self->has_doctype = true;
    XML_StopParser(self->parser, XML_FALSE);
  });
  if (XML_Parse(parser.get(), xml.data(), static_cast<int>(xml.size()), 1) == XML_STATUS_OK) return {};
  if (handlers.has_doctype) return invalid_input("has a document type declaration, which workbooks do not");
  return invalid_input("is not well-formed XML: line " +
                       std::to_string(XML_GetCurrentLineNumber(parser.get())) + ": " +
                       XML_ErrorString(XML_GetErrorCode(parser.get())));
}

int to_int(std::string_view text) { return std::atoi(std::string(text).c_str()); }

/// Built-in formats that show dates or times (ECMA-376 part 1, 18.8.30), East Asian ones included.
bool is_builtin_date(int id) {
  return (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) || (id >= 50 && id <= 58);
}

}  // namespace

bool is_date_format(std::string_view code) {
  for (std::size_t i = 0; i < code.size(); ++i) {
    switch (code[i]) {
      case ';':
        return false;
      case '"': {
        const auto close = code.find('"', i + 1);
        if (close == std::string_view::npos) return false;
        i = close;
        break;
      }
      case '\\':
      case '_':
      case '*':
        ++i;
        break;
      case '[': {
        const auto close = code.find(']', i + 1);
        if (close == std::string_view::npos) return false;
        const std::string_view inside = code.substr(i + 1, close - i - 1);
        if (!inside.empty() && inside.find_first_not_of("hHmMsS") == std::string_view::npos) return true;
        i = close;
        break;
      }
      case 'G':
      case 'g':
        if (code.size() - i >= 7 && (code.substr(i + 1, 6) == "eneral" || code.substr(i + 1, 6) == "ENERAL"))
          i += 6;
        break;
      case 'y':
      case 'Y':
      case 'm':
      case 'M':
      case 'd':
      case 'D':
      case 'h':
      case 'H':
      case 's':
      case 'S':
        return true;
      default:
        break;
    }
  }
  return false;
}

Result<Workbook> parse_workbook(std::string_view xml) {
  Workbook workbook;
  Handlers handlers;
  handlers.open = [&](std::string_view name, const Attributes& attributes) {
    if (name == "workbookPr") {
      const std::string_view date1904 = attributes.get("date1904");
      workbook.epoch_1904 = date1904 == "1" || date1904 == "true";
    } else if (name == "sheet") {
      workbook.sheets.push_back(
          {std::string(attributes.get("name")), std::string(attributes.get("id", true))});
    }
  };
  TILLCAST_TRY_PLAIN(parse_xml(xml, handlers));
  return workbook;
}

Result<std::vector<Relation>> parse_relations(std::string_view xml, std::string_view folder) {
  std::vector<Relation> relations;
  Handlers handlers;
  handlers.open = [&](std::string_view name, const Attributes& attributes) {
    if (name != "Relationship" || attributes.get("TargetMode") == "External") return;
    const std::string_view type = attributes.get("Type");
    std::string target(attributes.get("Target"));
    if (target.starts_with('/')) {
      target.erase(0, 1);
    } else {
      std::string base(folder);
      while (target.starts_with("../")) {
        target.erase(0, 3);
        const auto cut = base.size() < 2 ? std::string::npos : base.rfind('/', base.size() - 2);
        base.erase(cut == std::string::npos ? 0 : cut + 1);
      }
      if (target.starts_with("./")) target.erase(0, 2);
      target = base + target;
    }
    relations.push_back({std::string(attributes.get("Id")), std::string(type.substr(type.rfind('/') + 1)),
                         std::move(target)});
  };
  TILLCAST_TRY_PLAIN(parse_xml(xml, handlers));
  return relations;
}

Result<std::vector<std::uint8_t>> parse_date_styles(std::string_view xml) {
  std::map<int, bool> custom;
  std::vector<std::uint8_t> styles;
  bool inside = false;
  Handlers handlers;
  handlers.open = [&](std::string_view name, const Attributes& attributes) {
    if (name == "numFmt") {
      custom[to_int(attributes.get("numFmtId"))] = is_date_format(attributes.get("formatCode"));
    } else if (name == "cellXfs") {
      inside = true;
    } else if (name == "xf" && inside) {
      const int id = to_int(attributes.get("numFmtId"));
      const auto found = custom.find(id);
      styles.push_back((found != custom.end() ? found->second : is_builtin_date(id)) ? 1 : 0);
    }
  };
  handlers.close = [&](std::string_view name) {
    if (name == "cellXfs") inside = false;
  };
  TILLCAST_TRY_PLAIN(parse_xml(xml, handlers));
  return styles;
}

}  // namespace tillcast::sources
