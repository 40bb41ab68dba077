# drh_add_plugin(NAME SOURCES a.c b.c [LIBS lib...]) - NAME.so that exports drh_entry_v1 and nothing
# else.  In this tree it goes to <build>/plugins and is installed with the host.
set(DRH_SDK_DIR ${CMAKE_CURRENT_LIST_DIR}/..)

function(drh_add_plugin name)
    cmake_parse_arguments(P "NOINSTALL" "OUTPUT_DIRECTORY" "SOURCES;LIBS" ${ARGN})
    if(NOT P_OUTPUT_DIRECTORY)
        set(P_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins)
    endif()
    string(MAKE_C_IDENTIFIER plugin_${name} target)
    add_library(${target} MODULE ${P_SOURCES})
    target_include_directories(${target} PRIVATE ${DRH_SDK_DIR}/include)
    target_link_libraries(${target} PRIVATE ${P_LIBS})
    target_link_options(${target} PRIVATE
        -Wl,--version-script=${DRH_SDK_DIR}/plugin.map -Wl,--exclude-libs,ALL)
    if(NOT DRH_SANITIZE)
        target_link_options(${target} PRIVATE -Wl,-z,defs)
    endif()
    set_target_properties(${target} PROPERTIES PREFIX "" OUTPUT_NAME ${name} SUFFIX ".so"
        C_VISIBILITY_PRESET hidden LINK_DEPENDS ${DRH_SDK_DIR}/plugin.map
        LIBRARY_OUTPUT_DIRECTORY ${P_OUTPUT_DIRECTORY})
    if(NOT P_NOINSTALL AND DEFINED DRH_PLUGIN_INSTALL_DIR)
        install(TARGETS ${target} LIBRARY DESTINATION ${DRH_PLUGIN_INSTALL_DIR})
    endif()
endfunction()
