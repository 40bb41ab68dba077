# embed(FILE NAME OUT): the bytes of FILE as `const char NAME[]` in OUT, a 0 after them.
function(embed file name out)
    file(READ ${file} hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(REGEX REPLACE "((0x..,)(0x..,)(0x..,)(0x..,)(0x..,)(0x..,)(0x..,)(0x..,))" "\\1\n"
        bytes "${bytes}")
    file(CONFIGURE OUTPUT ${out} CONTENT
        "extern const char ${name}[];\nconst char ${name}[] = {\n${bytes}0};\n" @ONLY)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
endfunction()
