include(CMakePackageConfigHelpers)

install(TARGETS ebrsweep EXPORT ebrsweepTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS ebrsweep_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY include/ebrsweep DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES ${PROJECT_BINARY_DIR}/include/ebrsweep/config.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ebrsweep)
install(DIRECTORY sweeps analysis DESTINATION ${CMAKE_INSTALL_DATADIR}/ebrsweep PATTERN "__pycache__" EXCLUDE)
install(DIRECTORY jobs/templates DESTINATION ${CMAKE_INSTALL_DATADIR}/ebrsweep)
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
