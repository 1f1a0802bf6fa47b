# SPDX-License-Identifier: GPL-3.0-or-later
# Device code: compiled by nvcc to fat binaries that are embedded, so that no CUDA library is linked.
# BATHYSCOPE_NVCC and BATHYSCOPE_CUDA_INCLUDE can name a compiler and headers that are not installed.

set(BATHYSCOPE_CUDA_ARCHITECTURES "80;86;89;90a;120" CACHE STRING
    "Compute capabilities that device code is compiled for, e.g. 80;90a; PTX of the least comes with them")
option(BATHYSCOPE_CUDA "Build the CUDA executor where nvcc is found" ON)

set(BATHYSCOPE_HAS_CUDA OFF)
if(BATHYSCOPE_CUDA)
    find_program(BATHYSCOPE_NVCC nvcc HINTS $ENV{CUDA_HOME}/bin /usr/local/cuda/bin)
    if(BATHYSCOPE_NVCC)
        get_filename_component(cuda_bin ${BATHYSCOPE_NVCC} DIRECTORY)
        find_path(BATHYSCOPE_CUDA_INCLUDE cuda.h
                  HINTS ${cuda_bin}/../include ${cuda_bin}/../targets/x86_64-linux/include)
    endif()
    if(BATHYSCOPE_NVCC AND BATHYSCOPE_CUDA_INCLUDE)
        set(BATHYSCOPE_HAS_CUDA ON)
        message(STATUS "Device code: ${BATHYSCOPE_NVCC} for ${BATHYSCOPE_CUDA_ARCHITECTURES}")
    else()
        message(STATUS "Device code: none, nvcc or cuda.h is missing; the program will run on the CPU")
    endif()
endif()

# Flags for the architectures that a file can be compiled for. Files named sm90_… use instructions of sm_90a
# alone.
function(bathyscope_cuda_targets source out)
    set(architectures ${BATHYSCOPE_CUDA_ARCHITECTURES})
    if(source MATCHES "^sm90_")
        list(FILTER architectures INCLUDE REGEX "^90a$")
    endif()
    set(flags)
    foreach(architecture ${architectures})
        list(APPEND flags -gencode arch=compute_${architecture},code=sm_${architecture})
    endforeach()
    if(architectures AND NOT source MATCHES "^sm90_")
        list(GET architectures 0 least)
        list(APPEND flags -gencode arch=compute_${least},code=compute_${least})
    endif()
    set(${out} ${flags} PARENT_SCOPE)
endfunction()

# Compiles each NAME.cu of the current folder's cuda/ and embeds it in `target` as the symbols
# bathyscope_fatbin_NAME and bathyscope_fatbin_NAME_end (kernels/cuda/images.h).
function(bathyscope_embed_device_code target)
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/cuda/*.cu)
    foreach(source ${sources})
        get_filename_component(name ${source} NAME_WE)
        bathyscope_cuda_targets(${name} flags)
        if(NOT flags)
            set(FATBIN_INSTRUCTION "")
        else()
            set(fatbin ${CMAKE_CURRENT_BINARY_DIR}/${name}.fatbin)
            add_custom_command(
                OUTPUT ${fatbin}
                COMMAND ${BATHYSCOPE_NVCC} -fatbin -std=c++20 -O3 --threads 0 -Xfatbin -compress-all
                        -I${CMAKE_SOURCE_DIR} -I${BATHYSCOPE_CUDA_INCLUDE} -Werror all-warnings
                        -MD -MF ${fatbin}.d -MT ${fatbin} ${flags} -o ${fatbin} ${source}
                DEPENDS ${source} DEPFILE ${fatbin}.d
                COMMENT "Device code ${name}" VERBATIM)
            set(FATBIN_INSTRUCTION ".incbin \\\"${fatbin}\\\"\\n")
        endif()
        set(FATBIN_NAME ${name})
        set(embedded ${CMAKE_CURRENT_BINARY_DIR}/${name}_image.cpp)
        configure_file(${CMAKE_SOURCE_DIR}/packaging/cmake/device_image.cpp.in ${embedded} @ONLY)
        if(flags)
            set_source_files_properties(${embedded} PROPERTIES OBJECT_DEPENDS ${fatbin})
        endif()
        target_sources(${target} PRIVATE ${embedded})
    endforeach()
endfunction()
