# SPDX-License-Identifier: GPL-3.0-or-later
# What an installed program is made of, and how CPack wraps it up on Linux (packaging/linux/build drives it).

set(packaging ${PROJECT_SOURCE_DIR}/packaging)
set(doc ${CMAKE_INSTALL_DATADIR}/doc/bathyscope)
install(FILES README.md DESTINATION ${doc})
install(FILES LICENSE DESTINATION ${doc}/licences RENAME GPL-3.0.txt)
install(DIRECTORY resources/licences/ DESTINATION ${doc}/licences)
if(NOT UNIX)
    return()
endif()

set(application_id org.bathyscope.Bathyscope)
# The day of the release: that of the commit where SOURCE_DATE_EPOCH says so, else today.
string(TIMESTAMP BATHYSCOPE_RELEASE_DATE "%Y-%m-%d" UTC)
configure_file(${packaging}/linux/${application_id}.metainfo.xml.in ${application_id}.metainfo.xml @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${application_id}.metainfo.xml
        DESTINATION ${CMAKE_INSTALL_DATADIR}/metainfo)
install(FILES ${packaging}/linux/${application_id}.desktop DESTINATION ${CMAKE_INSTALL_DATADIR}/applications)
set(icons ${CMAKE_INSTALL_DATADIR}/icons/hicolor)
install(FILES resources/icons/bathyscope.svg DESTINATION ${icons}/scalable/apps)
foreach(size 16 32 48 64 128 256)
    install(FILES resources/icons/bathyscope-${size}.png DESTINATION ${icons}/${size}x${size}/apps
            RENAME bathyscope.png)
endforeach()
install(DIRECTORY ${packaging}/linux/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

set(CPACK_PACKAGE_NAME bathyscope)
set(CPACK_PACKAGE_VENDOR "The Bathyscope developers")
set(CPACK_PACKAGE_CONTACT "The Bathyscope developers")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
string(CONCAT CPACK_PACKAGE_DESCRIPTION
    "Bathyscope runs a reasoning model on this machine and shows its reasoning, the probabilities of every "
    "token and the experts that every layer chose. A small model comes with it.")
set(CPACK_PACKAGE_FILE_NAME ${PROJECT_NAME}-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_STRIP_FILES ON)
set(CPACK_PROJECT_CONFIG_FILE ${packaging}/cmake/package_format.cmake)
set(CPACK_PRE_BUILD_SCRIPTS ${packaging}/cmake/before_packing.cmake)

# The .deb takes its libraries from the system.
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS qt6-wayland)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)

# The .rpm carries its own, since other systems have them in other versions; only the C library is asked for.
set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_LICENSE GPL-3.0-or-later)
set(CPACK_RPM_PACKAGE_AUTOREQPROV OFF)
set(CPACK_RPM_PACKAGE_REQUIRES "libc.so.6(GLIBC_2.36)(64bit)")
set(CPACK_RPM_PACKAGE_RELOCATABLE OFF)
string(JOIN "\n" CPACK_RPM_SPEC_MORE_DEFINE
    "%define _binary_payload w7T2.xzdio" # a fixed number of threads: it decides where blocks end
    "%define _buildhost bathyscope"
    "%define use_source_date_epoch_as_buildtime 1"
    "%define clamp_mtime_to_source_date_epoch 1"
    "%define _build_id_links none"
    "%define __strip /bin/true")
# The system has /opt; the other folders may be several packages' at once, and go with the last of them.
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION /opt)

# The portable archive: CPack's own would keep the names of whoever packed it.
set(CPACK_EXTERNAL_ENABLE_STAGING ON)
set(CPACK_EXTERNAL_PACKAGE_SCRIPT ${packaging}/cmake/pack_portable.cmake)
include(CPack)
