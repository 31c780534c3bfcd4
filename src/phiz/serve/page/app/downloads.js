// The answers as files: what `phiz analyze --format jsonl` and `--format csv` print.

const QUALITY = ["size", "sharpness", "brightness", "yaw", "pitch", "roll", "inside"];
const COLUMNS = [
  ...["path", "width", "height", "face", "box_x", "box_y", "box_width", "box_height", "score"],
  ...["age", "age_low", "age_high", "gender", "gender_score", ...QUALITY.map((name) => `quality_${name}`), "flags", "error"],
];

/** The results as a JSON list, one result a line. */
export function asJson(results) {
  return `[\n${results.map((result) => JSON.stringify(result)).join(",\n")}\n]`;
}

/** The results as CSV (RFC 4180), a line a face; a picture without any has a line of its own. */
export function asCsv(results) {
  const lines = results.flatMap(({ path, width, height, faces, error }) => {
    if (!faces.length) return [[path, width, height, ...Array(COLUMNS.length - 4).fill(null), error]];
    return faces.map((face, i) => {
      const { box, score, age, age_interval, gender, gender_score, quality, flags } = face;
      const told = [score, age, ...(age_interval ?? [null, null]), gender, gender_score];
      const signals = QUALITY.map((name) => quality?.[name]);
      return [path, width, height, i + 1, ...box, ...told, ...signals, (flags ?? []).join(";"), error];
    });
  });
  return [COLUMNS, ...lines].map((line) => line.map(cell).join(",") + "\r\n").join("");
}

function cell(value) {
  const text = String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Have the browser keep a text as a file. */
export function save(name, text, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
