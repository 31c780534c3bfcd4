// What is said of a face: a range of ages first, and no surer than it is; the words of phiz.words in both languages.

import { countFaces, say } from "./words.js";

// From which gender_score the gender is said outright, and from which as probable; below it is "not sure".
const SURE = 0.9;
const PROBABLE = 0.7;

/** "30 to 41 years", or "35 years" without an interval. */
export function ageRange({ age, age_interval }) {
  if (age === null) return "-";
  if (!age_interval) return say("age", { age: Math.round(age) });
  const [low, high] = age_interval.map(Math.round);
  return say("age.range", { low, high });
}

/** "about 35", or nothing where the range says it already. */
export function ageAbout({ age, age_interval }) {
  return age !== null && age_interval ? say("age.about", { age: Math.round(age) }) : "";
}

/** "female", "probably female" or "not sure"; "-" where it is not told. */
export function genderWords({ gender, gender_score }) {
  if (gender_score === null) return "-";
  if (!isSure({ gender, gender_score })) return say("gender.unsure");
  return gender_score >= SURE ? say(gender) : say("gender.probably", { gender: say(gender) });
}

/** Whether a gender is said at all. */
export function isSure({ gender, gender_score }) {
  return gender !== null && gender_score !== null && gender_score >= PROBABLE;
}

/** A probability in percent, at most 99. */
export function percent(score) {
  return Math.min(99, Math.round(100 * score));
}

/** Why a face may be hard to read, as words. */
export function flagWords({ flags }) {
  return (flags ?? []).map((flag) => say(`flag.${flag}`));
}

/** "Face 1: 30 to 41 years, about 35, probably female, 85% certain, blurred". */
export function faceWords(face, i) {
  const sure = isSure(face) ? say("certain", { percent: percent(face.gender_score) }) : "";
  const said = [ageRange(face), ageAbout(face), genderWords(face), sure, ...flagWords(face)];
  return say("face", { n: i + 1, words: said.filter(Boolean).join(", ") });
}

/** "2 faces. Face 1: ...", for a screen reader. */
export function inWords(faces) {
  return [countFaces(faces.length), ...faces.map(faceWords)].join(". ");
}
