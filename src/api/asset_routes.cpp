#include "api/routes.h"
#include "core/text.h"
#include "web_assets.h"

namespace tillcast::api {
namespace {

std::string_view media_type(std::string_view path) {
  if (path.ends_with(".html")) return "text/html; charset=utf-8";
  if (path.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (path.ends_with(".css")) return "text/css; charset=utf-8";
  if (path.ends_with(".svg")) return "image/svg+xml";
  return "application/octet-stream";
}

struct Asset {
  std::string path;
  std::string_view plain;
  std::string_view gzip;
  std::string tag;
};

// Each file is embedded as it is and, next to it, compressed as "<name>.gz".
std::vector<Asset> load_assets() {
  std::vector<Asset> assets;
  for (const EmbeddedFile& file : web_assets()) {
    if (!file.path.ends_with(".gz"))
      assets.push_back({std::string(file.path), file.content, {}, std::to_string(fnv1a(file.content))});
  }
  for (const EmbeddedFile& file : web_assets()) {
    for (Asset& asset : assets) {
      if (file.path == asset.path + ".gz") asset.gzip = file.content;
    }
  }
  return assets;
}

RouteAnswer answer_of(const Asset& asset, bool gzip) {
  RouteAnswer answer;
  gzip = gzip && !asset.gzip.empty();
  answer.fixed_body = gzip ? asset.gzip : asset.plain;
  answer.media_type = media_type(asset.path);
  if (gzip) answer.content_encoding = "gzip";
  answer.etag = asset.tag + (gzip ? "-gz" : "");
  return answer;
}

Route page_route(std::string path, std::string operation_id, std::string summary, const std::string& file,
                 const std::vector<Asset>& assets) {
  Route route;
  route.path = std::move(path);
  route.operation_id = std::move(operation_id);
  route.tag = "page";
  route.summary = std::move(summary);
  route.runs = Route::Runs::kLoop;
  route.any_query = true;
  route.answers = {{200, "The page.", "text/html", {}, {}}, {304, "Unchanged.", {}, {}, {}}};
  for (const Asset& asset : assets) {
    if (asset.path != file) continue;
    route.handle = [asset](const RouteRequest& request) -> Result<RouteAnswer> {
      return answer_of(asset, request.accepts_gzip());
    };
  }
  return route;
}

}  // namespace

void add_asset_routes(std::vector<Route>& routes) {
  const std::vector<Asset> assets = load_assets();
  routes.push_back(page_route("/", "page", "The dashboard", "index.html", assets));
  routes.push_back(page_route("/docs", "docs", "The API documentation for people", "docs.html", assets));

  Route files;
  files.path = "/assets/{file}";
  files.operation_id = "asset";
  files.tag = "page";
  files.summary = "Scripts, styles and images of the pages";
  files.parameters = {
      path_parameter("file", string_schema("file name").with_length(1, 100).with_example(R"("app.js")"))};
  files.runs = Route::Runs::kLoop;
  files.answers = {{200, "The file.", "*/*", {}, {}}, {304, "Unchanged.", {}, {}, {}}};
  files.problems = {404};
  files.handle = [assets](const RouteRequest& request) -> Result<RouteAnswer> {
    for (const Asset& asset : assets) {
      if (asset.path == request.text("file")) return answer_of(asset, request.accepts_gzip());
    }
    return not_found("no file '" + request.text("file") + "' belongs to the pages");
  };
  routes.push_back(std::move(files));
}

}  // namespace tillcast::api
