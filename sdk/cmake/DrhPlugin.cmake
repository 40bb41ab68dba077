# drh_add_plugin(NAME SOURCES a.c b.c [LIBS lib...] [OUTPUT_DIRECTORY dir] [NOINSTALL]) - NAME.so that
# exports drh_entry_v1 and nothing else; the target is plugin_NAME.  It goes to <build>/plugins; in
# the host's own tree it is installed with the host.
if(NOT DEFINED DRH_SDK_MAP)
    # The source tree; an installed drhostConfig.cmake has set them already.
    get_filename_component(DRH_SDK_DIR ${CMAKE_CURRENT_LIST_DIR}/.. ABSOLUTE)
    set(DRH_SDK_INCLUDE_DIR ${DRH_SDK_DIR}/include)
    set(DRH_SDK_MAP ${DRH_SDK_DIR}/plugin.map)
endif()

function(drh_add_plugin name)
    cmake_parse_arguments(P "NOINSTALL" "OUTPUT_DIRECTORY" "SOURCES;LIBS" ${ARGN})
    if(NOT P_OUTPUT_DIRECTORY)
        set(P_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins)
    endif()
    string(MAKE_C_IDENTIFIER plugin_${name} target)
    add_library(${target} MODULE ${P_SOURCES})
    target_include_directories(${target} PRIVATE ${DRH_SDK_INCLUDE_DIR})
    target_link_libraries(${target} PRIVATE ${P_LIBS})
    target_link_options(${target} PRIVATE
        -Wl,--version-script=${DRH_SDK_MAP} -Wl,--exclude-libs,ALL)
    if(NOT DRH_SANITIZE)
        target_link_options(${target} PRIVATE -Wl,-z,defs)
    endif()
    set_target_properties(${target} PROPERTIES PREFIX "" OUTPUT_NAME ${name} SUFFIX ".so"
        C_VISIBILITY_PRESET hidden LINK_DEPENDS ${DRH_SDK_MAP}
        LIBRARY_OUTPUT_DIRECTORY ${P_OUTPUT_DIRECTORY})
    if(NOT P_NOINSTALL AND DEFINED DRH_PLUGIN_INSTALL_DIR)
        install(TARGETS ${target} LIBRARY DESTINATION ${DRH_PLUGIN_INSTALL_DIR})
    endif()
endfunction()
