# The headers' plain comments in Doxygen's form: a comment on its own line documents what follows, one behind code
# documents that, the first of a file the file. Angle brackets are text, lines of dashes are headings and left out.
1s,^/\* ,/** @file\n * ,
s,^\( *\)/\* ----.*\*/$,,
s,^\( *\)/\* ,\1/** ,
s,^\( *[^ /*].*\) /\* ,\1 /**< ,
/^ *\/\*\*/,/\*\// {
  /^#/! { s,<\([^ =*]\),\&lt;\1,g; s,\([^-* ]\)>,\1\&gt;,g; s,/\*\*&lt;,/**<,; }
}
