include(CMakePackageConfigHelpers)

install(TARGETS ebrsweep EXPORT ebrsweepTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS ebrsweep_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS ebrsweep_petsc RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/ebrsweep)
install(DIRECTORY include/ebrsweep DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES ${PROJECT_BINARY_DIR}/include/ebrsweep/config.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ebrsweep)
install(DIRECTORY sweeps analysis DESTINATION ${CMAKE_INSTALL_DATADIR}/ebrsweep PATTERN "__pycache__" EXCLUDE)
install(DIRECTORY jobs/templates DESTINATION ${CMAKE_INSTALL_DATADIR}/ebrsweep)
install(FILES jobs/completion/ebrsweep.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME ebrsweep)
install(FILES jobs/completion/_ebrsweep DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
configure_file(jobs/modules/ebrsweep.tcl.in modulefile @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/modulefile DESTINATION ${CMAKE_INSTALL_DATADIR}/ebrsweep)
install(FILES LICENSE README.md CITATION.cff DESTINATION ${CMAKE_INSTALL_DOCDIR})

configure_file(cmake/ebrsweep.pc.in ebrsweep.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/ebrsweep.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
configure_package_config_file(cmake/ebrsweepConfig.cmake.in ebrsweepConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/ebrsweep)
write_basic_package_version_file(ebrsweepConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/ebrsweepConfig.cmake ${PROJECT_BINARY_DIR}/ebrsweepConfigVersion.cmake
              cmake/Dependencies.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/ebrsweep)
install(EXPORT ebrsweepTargets NAMESPACE ebrsweep:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/ebrsweep)

# ---- man pages, from the program's own help ------------------------------------------------------------------------
find_program(EBR_HELP2MAN help2man)
if(EBR_HELP2MAN)
  add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/man/ebrsweep.1
    COMMAND bash ${PROJECT_SOURCE_DIR}/cmake/manpages.sh $<TARGET_FILE:ebrsweep_program> ${PROJECT_VERSION}
            ${PROJECT_BINARY_DIR}/man
    DEPENDS ebrsweep_program cmake/manpages.sh COMMENT "Man pages")
  add_custom_target(ebr_manpages ALL DEPENDS ${PROJECT_BINARY_DIR}/man/ebrsweep.1)
  install(DIRECTORY ${PROJECT_BINARY_DIR}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 FILES_MATCHING PATTERN "*.1")
else()
  message(STATUS "Without help2man there are no man pages")
endif()

# ---- pages of the public headers: cmake --build --preset release --target doxygen ----------------------------------
configure_file(cmake/Doxyfile.in Doxyfile @ONLY)
find_program(EBR_DOXYGEN doxygen)
if(EBR_DOXYGEN)
  add_custom_target(doxygen COMMAND ${EBR_DOXYGEN} ${PROJECT_BINARY_DIR}/Doxyfile
    WORKING_DIRECTORY ${PROJECT_BINARY_DIR} COMMENT "Pages of the headers in ${PROJECT_BINARY_DIR}/doxygen/html")
endif()

# ---- a Debian package: cpack in the build folder -------------------------------------------------------------------
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "The ebrsweep developers <ebrsweep@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS libopenblas0) # any BLAS would link, and be many times slower
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS
    "openmpi-bin, python3-h5py, python3-pandas, python3-matplotlib, python3-seaborn, python3-statsmodels")
include(CPack)
