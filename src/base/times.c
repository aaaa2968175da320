#include <ebrsweep/base.h>

ebr_times ebr_times_start(void) { return (ebr_times){.since = ebr_clock_seconds()}; }

void ebr_times_charge(ebr_times *times, ebr_time what)
{
  if (!times) return;
  double now = ebr_clock_seconds();
  times->seconds[what] += now - times->since;
  times->since = now;
}

const char *ebr_time_name(ebr_time what)
{
  static const char *const names[EBR_TIMES] = {
      [EBR_TIME_PREPARING] = "preparing", [EBR_TIME_DRAWING] = "drawing",   [EBR_TIME_DATA] = "data",
      [EBR_TIME_ALONE] = "alone",         [EBR_TIME_TRAINING] = "training", [EBR_TIME_MEASURING] = "measuring",
      [EBR_TIME_STORING] = "storing",     [EBR_TIME_WAITING] = "waiting"};
  return names[what];
}

const char *ebr_time_sentence(ebr_time what)
{
  static const char *const sentences[EBR_TIMES] = {
      [EBR_TIME_PREPARING] = "sweep, datasets and results file read or made",
      [EBR_TIME_DRAWING] = "the next run asked for",
      [EBR_TIME_DATA] = "samples made, drawn and standardised",
      [EBR_TIME_ALONE] = "each modality trained alone: teachers and baselines",
      [EBR_TIME_TRAINING] = "training",
      [EBR_TIME_MEASURING] = "measures, scores and spectra",
      [EBR_TIME_STORING] = "rows written",
      [EBR_TIME_WAITING] = "for the last rank to finish"};
  return sentences[what];
}
