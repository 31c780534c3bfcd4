// Every text of the page, in English and Korean. {name} stands for a value.

const WORDS = {
  en: {
    skip: "Skip to the results",
    tagline: "guesses age and gender from a face",
    language: "Language",
    where: "Where pictures are analysed",
    "where.device": "On this device",
    "where.server": "On the server",
    "note.device.loading": "Getting ready; then your pictures stay in this browser.",
    "note.device": "Your pictures stay in this browser: nothing is sent. It works without a network now.",
    "note.device.failed": "This device cannot do it: see below.",
    "note.server": "Pictures go to {host}, are analysed in memory and are not kept.",
    "note.server.none": "There is no phiz server behind this page; it runs on this device.",
    gpu: "Use the graphics processor (WebGPU)",
    token: "Access token of the server",
    "token.use": "Use it",
    stage: "Picture or camera",
    drop: "Drop pictures here",
    paste: "or paste one, choose some, or use the camera",
    pick: "Choose pictures",
    "camera.start": "Use the camera",
    "camera.stop": "Stop the camera",
    "camera.shot": "Keep this picture",
    "camera.which": "Camera",
    "camera.name": "Camera {n}",
    "camera.picture": "camera {time}",
    results: "Faces",
    film: "Pictures",
    clear: "Remove all",
    table: "Table",
    json: "JSON",
    "copy.table": "Copy the table",
    "copy.json": "Copy as JSON",
    copied: "Copied.",
    "copied.not": "The browser did not allow it. Select the text and copy it by hand.",
    "column.picture": "Picture",
    "column.face": "Face",
    "column.age": "Age",
    "column.gender": "Gender",
    "column.certainty": "Certainty",
    "column.box": "Box: left, top, width, height",
    female: "female",
    male: "male",
    years: "years",
    certain: "{percent}% certain",
    face: "Face {n}: about {age} years, {gender}, {percent}% certain",
    tag: "{gender} {age}",
    "faces.none": "No face found",
    "faces.one": "1 face",
    "faces.many": "{n} faces",
    none: "No face was found. It helps if the face is larger, upright and not covered.",
    took: "{faces} in {seconds} s",
    rate: "{faces}, {rate} pictures a second",
    working: "Looking at {name} ...",
    waiting: "Waiting for the camera ...",
    shown: "Picture {name}: {faces}",
    failed: "{name}: not read",
    dismiss: "Close",
    audience: "Audience",
    "audience.per": "Period",
    "audience.day": "By day",
    "audience.hour": "By hour",
    "audience.minute": "By minute",
    "audience.refresh": "Refresh",
    "audience.earlier": "Earlier",
    "audience.later": "Later",
    "audience.people": "People",
    "audience.mean": "Mean time in view",
    "audience.facing": "Facing the screen",
    "audience.facing.unit": "share of the time in view",
    "audience.none": "Nobody was counted in this time.",
    "audience.time": "People over time",
    "audience.most": "People over time; most of them: {when}, {n}",
    "audience.per.day": "people a day",
    "audience.per.hour": "people an hour",
    "audience.per.minute": "people a minute",
    "audience.spread": "too few to tell exactly when: spread over the hour or day",
    "audience.any.hour": "any hour",
    "audience.any.minute": "any minute",
    "audience.groups": "Age band and gender",
    "audience.mixed": "and {n} people of groups too small to tell",
    "audience.mixed.group": "mixed",
    "audience.all": "all",
    "audience.dwell": "Time in view",
    "audience.dwell.unit": "people who left after so long",
    "audience.seconds": "{n} s",
    "audience.table": "The counts as a table",
    "audience.when": "When",
    "audience.k": "No figure is about fewer than {k} people: smaller groups are merged. Age and gender are estimates.",
    "audience.zone": "Times: {zone}.",
    "audience.few": "Days with fewer than {k} people, left out: {n}.",
    honest:
      "These are guesses from pixels, often wrong, and not a statement about a person. Do not use them to check ages or to decide about people.",
    accuracy: "On pictures kept out of training the age is {years} years off on average, and the gender label is right in {percent}%.",
    "error.name": "{name}: {text}",
    "error.type": "this is not a picture that the browser can read. JPEG, PNG, WebP, BMP and GIF work.",
    "error.heic": "this is a HEIC picture, which this browser cannot read. Save it as JPEG first.",
    "error.damaged": "the picture is damaged or cut short. Copy it again from its source.",
    "error.empty": "the file is empty. Copy it again from its source.",
    "error.large": "the picture is too large: {pixels} million pixels, at most {most} can be read. Make it smaller.",
    "error.memory": "this device has too little memory for the picture. Make it smaller.",
    "error.nofile": "There was no picture in it. Save the picture to a file and drop the file.",
    "error.many": "At most {most} pictures at once; the first {most} were taken.",
    "error.load":
      "On-device mode could not start: {detail}. Reload the page, or choose the server.",
    "error.missing":
      "On-device mode needs {file}, which is not beside this page. Install phiz again, or run tools/static_page.py for a static copy.",
    "error.old": "This browser is too old for on-device mode (it lacks {detail}). Update it, or choose the server.",
    "error.crash": "The analysis failed: {detail}",
    "error.gpu": "The graphics processor cannot be used here ({detail}). The processor is used instead.",
    "error.offline": "The server cannot be reached. Is it running? On this device it works without one.",
    "error.busy": "The server has too much to do. Try again in a moment.",
    "error.token": "The server asks for an access token. Type it above.",
    "error.server": "The server refused the picture: {detail}",
    "error.broken": "The server failed ({detail}). Try again, or run it on this device.",
    "error.audience": "The audience counts could not be read: {detail}",
    "camera.denied":
      "The browser may not use the camera. Allow it in the address bar or the settings of the browser and try again.",
    "camera.missing": "No camera was found. Connect one and try again.",
    "camera.used": "The camera is in use by another program. Close that one and try again.",
    "camera.insecure": "Browsers give a camera only to https pages and to localhost. Open the page that way.",
    "camera.lost": "The camera was disconnected.",
    "camera.broken": "The camera could not be started: {detail}",
  },
  ko: {
    skip: "결과로 건너뛰기",
    tagline: "얼굴에서 나이와 성별을 추정합니다",
    language: "언어",
    where: "사진을 분석하는 곳",
    "where.device": "이 기기에서",
    "where.server": "서버에서",
    "note.device.loading": "준비하는 중입니다. 사진은 이 브라우저를 벗어나지 않습니다.",
    "note.device": "사진은 이 브라우저에만 머물며 아무것도 전송되지 않습니다. 이제 네트워크 없이도 작동합니다.",
    "note.device.failed": "이 기기에서는 분석할 수 없습니다. 아래를 확인하세요.",
    "note.server": "사진은 {host}(으)로 전송되어 메모리에서만 분석되며 저장되지 않습니다.",
    "note.server.none": "이 페이지에는 phiz 서버가 없어 이 기기에서 실행됩니다.",
    gpu: "그래픽 프로세서 사용(WebGPU)",
    token: "서버 접근 토큰",
    "token.use": "사용",
    stage: "사진 또는 카메라",
    drop: "사진을 여기에 놓으세요",
    paste: "붙여넣거나, 파일을 고르거나, 카메라를 사용해도 됩니다",
    pick: "사진 고르기",
    "camera.start": "카메라 사용",
    "camera.stop": "카메라 끄기",
    "camera.shot": "이 장면 보관",
    "camera.which": "카메라",
    "camera.name": "카메라 {n}",
    "camera.picture": "카메라 {time}",
    results: "얼굴",
    film: "사진 목록",
    clear: "모두 지우기",
    table: "표",
    json: "JSON",
    "copy.table": "표 복사",
    "copy.json": "JSON 복사",
    copied: "복사했습니다.",
    "copied.not": "브라우저가 복사를 허용하지 않았습니다. 글자를 선택해 직접 복사하세요.",
    "column.picture": "사진",
    "column.face": "얼굴",
    "column.age": "나이",
    "column.gender": "성별",
    "column.certainty": "확신도",
    "column.box": "상자: 왼쪽, 위, 너비, 높이",
    female: "여성",
    male: "남성",
    years: "세",
    certain: "확신도 {percent}%",
    face: "얼굴 {n}: 약 {age}세, {gender}, 확신도 {percent}%",
    tag: "{gender} {age}",
    "faces.none": "얼굴 없음",
    "faces.one": "얼굴 1개",
    "faces.many": "얼굴 {n}개",
    none: "얼굴을 찾지 못했습니다. 얼굴이 더 크고, 똑바르고, 가려지지 않은 사진이 좋습니다.",
    took: "{faces}, {seconds}초",
    rate: "{faces}, 초당 {rate}장",
    working: "{name} 분석 중 ...",
    waiting: "카메라를 기다리는 중 ...",
    shown: "사진 {name}: {faces}",
    failed: "{name}: 읽지 못함",
    dismiss: "닫기",
    audience: "관객",
    "audience.per": "기간 단위",
    "audience.day": "일별",
    "audience.hour": "시간별",
    "audience.minute": "분별",
    "audience.refresh": "새로 고침",
    "audience.earlier": "이전",
    "audience.later": "다음",
    "audience.people": "사람 수",
    "audience.mean": "평균 머문 시간",
    "audience.facing": "화면을 본 비율",
    "audience.facing.unit": "머문 시간 중",
    "audience.none": "이 기간에는 집계된 사람이 없습니다.",
    "audience.time": "시간에 따른 사람 수",
    "audience.most": "시간에 따른 사람 수: 가장 많은 때 {when}, {n}명",
    "audience.per.day": "하루당",
    "audience.per.hour": "시간당",
    "audience.per.minute": "분당",
    "audience.spread": "너무 적어 정확한 때를 밝히지 않음: 그 시간이나 날에 고르게 나눔",
    "audience.any.hour": "시각 미상",
    "audience.any.minute": "분 미상",
    "audience.groups": "나이대와 성별",
    "audience.mixed": "그 밖에 너무 작은 집단에 속한 {n}명",
    "audience.mixed.group": "혼합",
    "audience.all": "전체",
    "audience.dwell": "머문 시간",
    "audience.dwell.unit": "그만큼 머물고 떠난 사람 수",
    "audience.seconds": "{n}초",
    "audience.table": "집계 표",
    "audience.when": "때",
    "audience.k": "{k}명 미만에 대한 수치는 없습니다. 더 작은 집단은 합쳐집니다. 나이와 성별은 추정값입니다.",
    "audience.zone": "시간대: {zone}.",
    "audience.few": "{k}명 미만이어서 뺀 날: {n}일.",
    honest:
      "픽셀에서 추정한 값이며 자주 틀리고, 사람에 대한 사실이 아닙니다. 나이 확인이나 사람에 대한 결정에 쓰지 마세요.",
    accuracy: "학습에 쓰지 않은 사진에서 나이는 평균 {years}세 벗어나고, 성별 표시는 {percent}% 맞습니다.",
    "error.name": "{name}: {text}",
    "error.type": "브라우저가 읽을 수 있는 사진이 아닙니다. JPEG, PNG, WebP, BMP, GIF를 사용하세요.",
    "error.heic": "HEIC 사진은 이 브라우저가 읽지 못합니다. 먼저 JPEG로 저장하세요.",
    "error.damaged": "사진이 손상되었거나 잘렸습니다. 원본에서 다시 복사하세요.",
    "error.empty": "빈 파일입니다. 원본에서 다시 복사하세요.",
    "error.large": "사진이 너무 큽니다. {pixels}백만 픽셀이며 최대 {most}백만까지 읽습니다. 크기를 줄이세요.",
    "error.memory": "이 기기의 메모리가 사진에 비해 부족합니다. 크기를 줄이세요.",
    "error.nofile": "사진이 들어 있지 않습니다. 사진을 파일로 저장한 뒤 그 파일을 놓으세요.",
    "error.many": "한 번에 {most}장까지 가능하여 처음 {most}장만 받았습니다.",
    "error.load": "기기 모드를 시작하지 못했습니다: {detail}. 페이지를 새로 고치거나 서버를 선택하세요.",
    "error.missing":
      "기기 모드에 필요한 {file} 파일이 페이지 옆에 없습니다. phiz를 다시 설치하거나, 정적 사본은 tools/static_page.py로 만드세요.",
    "error.old": "브라우저가 오래되어 기기 모드를 쓸 수 없습니다({detail} 없음). 업데이트하거나 서버를 선택하세요.",
    "error.crash": "분석에 실패했습니다: {detail}",
    "error.gpu": "여기서는 그래픽 프로세서를 쓸 수 없어({detail}) 일반 프로세서를 사용합니다.",
    "error.offline": "서버에 연결할 수 없습니다. 실행 중인가요? 이 기기에서는 서버 없이 작동합니다.",
    "error.busy": "서버가 바쁩니다. 잠시 후 다시 시도하세요.",
    "error.token": "서버가 접근 토큰을 요구합니다. 위에 입력하세요.",
    "error.server": "서버가 사진을 거절했습니다: {detail}",
    "error.broken": "서버 오류입니다({detail}). 다시 시도하거나 이 기기에서 실행하세요.",
    "error.audience": "관객 집계를 읽지 못했습니다: {detail}",
    "camera.denied": "브라우저가 카메라를 쓸 수 없습니다. 주소창이나 브라우저 설정에서 허용한 뒤 다시 시도하세요.",
    "camera.missing": "카메라를 찾지 못했습니다. 연결한 뒤 다시 시도하세요.",
    "camera.used": "다른 프로그램이 카메라를 사용 중입니다. 그 프로그램을 닫고 다시 시도하세요.",
    "camera.insecure": "브라우저는 https 페이지와 localhost에만 카메라를 허용합니다. 그렇게 열어 주세요.",
    "camera.lost": "카메라 연결이 끊어졌습니다.",
    "camera.broken": "카메라를 시작하지 못했습니다: {detail}",
  },
};

let language = "en";

/** What went wrong, in words the page can say in each language: a key of WORDS and its values. */
export class Plain extends Error {
  constructor(key, values = {}) {
    super(key);
    this.key = key;
    this.values = values;
  }
}

/** The text for `key` in the chosen language. */
export function say(key, values = {}) {
  return WORDS[language][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** The text of any error; a value may be an error itself. */
export function explain(error) {
  if (!(error instanceof Plain)) return say("error.crash", { detail: error.message });
  const values = Object.entries(error.values).map(([key, value]) => [key, value instanceof Error ? explain(value) : value]);
  return say(error.key, Object.fromEntries(values));
}

/** "No face found", "1 face" or "3 faces". */
export function countFaces(count) {
  return say(count === 0 ? "faces.none" : count === 1 ? "faces.one" : "faces.many", { n: count });
}

/** What was chosen here before, else the browser's first language that the page has. */
export function preferredLanguage() {
  const wanted = [remembered("language"), ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return wanted.find((tag) => tag in WORDS) ?? "en";
}

/** Show the page in a language; elements say which text they hold with data-t and data-t-label. */
export function speak(chosen) {
  language = chosen;
  document.documentElement.lang = chosen;
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = say(element.dataset.t);
  for (const element of document.querySelectorAll("[data-t-label]")) {
    element.setAttribute("aria-label", say(element.dataset.tLabel));
  }
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === chosen));
  }
}

/** A choice kept in this browser; nothing about pictures is ever kept. */
export function remembered(name) {
  try {
    return localStorage.getItem(`phiz.${name}`);
  } catch {
    return null; // storage is switched off
  }
}

/** Keep a choice in this browser. */
export function remember(name, value) {
  try {
    localStorage.setItem(`phiz.${name}`, value);
  } catch {
    // storage is switched off: the choice lasts as long as the page
  }
}
