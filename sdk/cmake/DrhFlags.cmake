# Flags of everything that is built in this tree; plugins outside need only DrhPlugin.cmake.
add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes
    -Wmissing-prototypes -Wcast-qual -Wcast-align -Wwrite-strings -Wundef -Wformat=2 -Wvla
    -Wswitch-enum -Wdouble-promotion)
if(DRH_WERROR)
    add_compile_options(-Werror)
endif()
add_compile_options(-fno-omit-frame-pointer -fstack-protector-strong)
if(DRH_SANITIZE)
    add_compile_options(-fsanitize=${DRH_SANITIZE} -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${DRH_SANITIZE})
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
if(DRH_COVERAGE)
    add_compile_options(--coverage -fprofile-update=atomic) # threads count, too
    add_link_options(--coverage)
endif()
add_link_options(-Wl,-z,relro,-z,now)
# A record goes through many small functions of many files; the linker inlines them.  For targets
# that ask: the host and the stages on the way of every record.
if(CMAKE_C_COMPILER_ID STREQUAL GNU AND CMAKE_BUILD_TYPE MATCHES "Rel" AND NOT DRH_SANITIZE
   AND NOT DRH_COVERAGE)
    set(DRH_LTO -flto=auto)
endif()
