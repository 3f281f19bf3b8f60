// Whoever clicks twice means it once. The second answer would take the place of the first, and be
// that the form was used before.

let sent = -Infinity;

document.addEventListener("submit", (event) => {
    if (event.defaultPrevented) {
        return;
    }
    if (event.timeStamp - sent < 2000) {
        event.preventDefault();
    } else {
        sent = event.timeStamp;
    }
});
