# The git commit, with a mark when the tree was changed, looked up at build time so that it is never stale.
add_custom_target(ebr_commit
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DOUTPUT=${PROJECT_BINARY_DIR}/include/ebrsweep/commit.h
          -P ${PROJECT_SOURCE_DIR}/cmake/Commit.cmake
  BYPRODUCTS ${PROJECT_BINARY_DIR}/include/ebrsweep/commit.h
  COMMENT "")
