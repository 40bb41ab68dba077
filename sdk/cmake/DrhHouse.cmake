# Targets of daily work in this tree (not installed):
#     format format-check   clang-format over all C files
#     lint                  clang-tidy and cppcheck over core, plugins and sdk
#     check                 ctest (only the ABI guards: target abi, tests/abi)
#     coverage              gcovr of what the tests ran   (configure with -DDRH_COVERAGE=ON)
#     fuzz                  the fuzz targets, DRH_FUZZ_SECONDS each   (clang, -DDRH_FUZZ=ON)
set(DRH_FUZZ_SECONDS 60 CACHE STRING "how long target fuzz runs each fuzz program")
include(ProcessorCount)
processorcount(DRH_CORES)
set(in_source WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} USES_TERMINAL VERBATIM)

# tests/abi/1.0 is a frozen copy; nobody tidies it.
set(c_files "find core plugins sdk tests examples -name '*.[ch]' ! -path 'tests/abi/1.0/*' -print0")
add_custom_target(format COMMAND sh -c "${c_files} | xargs -0 clang-format -i" ${in_source})
add_custom_target(format-check
    COMMAND sh -c "${c_files} | xargs -0 clang-format --dry-run -Werror" ${in_source})

add_custom_target(lint
    COMMAND run-clang-tidy -quiet -j ${DRH_CORES} -p ${CMAKE_BINARY_DIR}
        -extra-arg=-Wno-unknown-warning-option -extra-arg=-Wno-ignored-optimization-argument
        "^${CMAKE_SOURCE_DIR}/(core|plugins|sdk)/"
    COMMAND cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr -j ${DRH_CORES}
        --enable=warning,portability,performance
        --suppressions-list=${CMAKE_SOURCE_DIR}/sdk/cmake/cppcheck.txt
        -D_GNU_SOURCE -D__linux__ -D__x86_64__ -I core -I sdk/include core plugins sdk
    ${in_source})

# Every target of `all` below a folder of the source tree.
function(drh_all_targets dir out)
    get_property(found DIRECTORY ${dir} PROPERTY BUILDSYSTEM_TARGETS)
    get_property(below DIRECTORY ${dir} PROPERTY SUBDIRECTORIES)
    foreach(sub IN LISTS below)
        drh_all_targets(${sub} more)
        list(APPEND found ${more})
    endforeach()
    set(kept "")
    foreach(target IN LISTS found)
        get_target_property(type ${target} TYPE)
        get_target_property(left_out ${target} EXCLUDE_FROM_ALL)
        if(type MATCHES "EXECUTABLE|LIBRARY" AND NOT left_out)
            list(APPEND kept ${target})
        endif()
    endforeach()
    set(${out} ${kept} PARENT_SCOPE)
endfunction()
drh_all_targets(${CMAKE_SOURCE_DIR} everything)

set(ctest ${CMAKE_CTEST_COMMAND} --test-dir ${CMAKE_BINARY_DIR} --output-on-failure -j ${DRH_CORES})
add_custom_target(check COMMAND ${ctest} USES_TERMINAL VERBATIM)
add_dependencies(check ${everything})

if(DRH_COVERAGE)
    add_custom_target(coverage COMMAND find ${CMAKE_BINARY_DIR} -name *.gcda -delete
        COMMAND ${ctest}
        COMMAND gcovr --root ${CMAKE_SOURCE_DIR} --filter core/ --filter plugins/
            --gcov-ignore-parse-errors
            --txt ${CMAKE_BINARY_DIR}/coverage.txt --html-details ${CMAKE_BINARY_DIR}/coverage.html
            --print-summary ${CMAKE_BINARY_DIR}
        ${in_source})
    add_dependencies(coverage ${everything})
else()
    add_custom_target(coverage
        COMMAND ${CMAKE_COMMAND} -E echo "first configure with -DDRH_COVERAGE=ON"
        COMMAND ${CMAKE_COMMAND} -E false VERBATIM)
endif()

set(fuzz_commands "")
foreach(target IN LISTS everything)
    if(DRH_FUZZ AND target MATCHES "^fuzz_(.*)$")
        set(new ${CMAKE_BINARY_DIR}/fuzz/${CMAKE_MATCH_1})
        list(APPEND fuzz_commands COMMAND ${CMAKE_COMMAND} -E make_directory ${new}
            COMMAND ${target} -max_total_time=${DRH_FUZZ_SECONDS} -timeout=10 ${new}
                ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${CMAKE_MATCH_1})
    endif()
endforeach()
if(DRH_FUZZ)
    add_custom_target(fuzz ${fuzz_commands} WORKING_DIRECTORY ${CMAKE_BINARY_DIR} USES_TERMINAL
        VERBATIM)
else()
    add_custom_target(fuzz COMMAND ${CMAKE_COMMAND} -E echo
            "first configure with -DCMAKE_C_COMPILER=clang -DDRH_FUZZ=ON"
        COMMAND ${CMAKE_COMMAND} -E false VERBATIM)
endif()
