#pragma once

#include "api/json_schema.h"
#include "pipeline/job_service.h"

namespace tillcast::api {

class JsonWriter;

/// Jobs and uploads in JSON, and the schemas that describe them, side by side so that they stay alike.
Schema job_schema();     ///< "Job"
Schema upload_schema();  ///< "Upload"
void write_job(JsonWriter& out, const pipeline::Job& job);
void write_upload(JsonWriter& out, const pipeline::UploadStatus& status);

/// "/api/v1/jobs/<id>", "/api/v1/uploads/<id>"
std::string job_location(const std::string& id);
std::string upload_location(const std::string& id);

}  // namespace tillcast::api
