# tillcast_embed(TARGET NAMESPACE ROOT FILES...)
#   Puts files into a library as bytes (assembler .incbin: no compile cost) and generates
#   <NAMESPACE>_assets.h: `std::span<const tillcast::EmbeddedFile> tillcast::<NAMESPACE>_assets()`,
#   each with its path relative to ROOT. Include it as "<NAMESPACE>_assets.h".
function(tillcast_embed target namespace root)
  set(dir "${CMAKE_CURRENT_BINARY_DIR}/embed_${namespace}")
  set(assembly "    .section .rodata\n")
  set(externs "")
  set(rows "")
  set(index 0)
  foreach(file IN LISTS ARGN)
    file(RELATIVE_PATH name "${root}" "${file}")
    set(symbol "tillcast_${namespace}_${index}")
    string(APPEND assembly "    .global ${symbol}_begin\n    .global ${symbol}_end\n    .balign 16\n${symbol}_begin:\n    .incbin \"${file}\"\n${symbol}_end:\n    .byte 0\n")
    string(APPEND externs "extern const char ${symbol}_begin[];\nextern const char ${symbol}_end[];\n")
    string(APPEND rows "    {\"${name}\", {${symbol}_begin, static_cast<std::size_t>(${symbol}_end - ${symbol}_begin)}},\n")
    math(EXPR index "${index} + 1")
  endforeach()
  string(APPEND assembly "    .section .note.GNU-stack,\"\",@progbits\n")
  file(CONFIGURE OUTPUT "${dir}/${namespace}_assets.S" CONTENT "${assembly}" @ONLY)
  file(CONFIGURE OUTPUT "${dir}/${namespace}_assets.h" CONTENT "#pragma once
#include <span>
#include \"core/embedded_file.h\"
namespace tillcast {
std::span<const EmbeddedFile> ${namespace}_assets();
}
" @ONLY)
  file(CONFIGURE OUTPUT "${dir}/${namespace}_assets.cpp" CONTENT "#include \"${namespace}_assets.h\"
#include <cstddef>
extern \"C\" {
${externs}}
namespace tillcast {
std::span<const EmbeddedFile> ${namespace}_assets() {
  static const EmbeddedFile kFiles[] = {
${rows}  };
  return kFiles;
}
}
" @ONLY)
  set_source_files_properties("${dir}/${namespace}_assets.S" PROPERTIES LANGUAGE ASM OBJECT_DEPENDS "${ARGN}")
  target_sources(${target} PRIVATE "${dir}/${namespace}_assets.S" "${dir}/${namespace}_assets.cpp")
  target_include_directories(${target} PUBLIC "${dir}")
endfunction()
